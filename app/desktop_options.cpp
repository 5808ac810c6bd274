// The options, and which of them make no sense together.
#include "app/desktop_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "engine/trace/error.h"
#include "viz/views/view.h"

namespace sparsescope::app {
namespace {

// "1920x1080" into two numbers.
void parse_size(const std::string& text, DesktopOptions& options) {
  const std::size_t cross = text.find_first_of("xX");
  int width = 0, height = 0;
  try {
    std::size_t used = 0;
    width = std::stoi(text.substr(0, cross), &used);
    if (cross == std::string::npos || used != cross) throw std::invalid_argument(text);
    height = std::stoi(text.substr(cross + 1), &used);
    if (used != text.size() - cross - 1) throw std::invalid_argument(text);
  } catch (const std::logic_error&) {
    throw Error(
        fmt::format("--offscreen {} is no size; write WIDTHxHEIGHT in pixels, for example 1920x1080", text),
        ExitCode::Usage);
  }
  if (width < 320 || height < 240 || width > 16384 || height > 16384) {
    throw Error(fmt::format("--offscreen {} is outside 320x240 to 16384x16384 pixels", text),
                ExitCode::Usage);
  }
  options.is_offscreen = true;
  options.width = width;
  options.height = height;
}

}  // namespace

bool DesktopOptions::wants_training() const { return !preset().empty(); }

std::string DesktopOptions::preset() const {
#ifdef SPARSESCOPE_WITH_TRAINING
  return run.preset;
#else
  return "";
#endif
}

DesktopOptions desktop_options(int argc, char** argv, int& exit_code) {
  DesktopOptions options;
  std::string size;
  CLI::App parser{
      "Trains small sparse-attention models in a window, records what it shows and replays it.\n"
      "Without arguments it opens the start page.",
      "sparsescope"};
  parser.add_option("FILE", options.files, "recordings (.h5) to open");
#ifdef SPARSESCOPE_WITH_TRAINING
  add_run_options(parser, options.run, RunOptionSet::Desktop);
#endif
  parser.add_option("--offscreen", size, "WxH: no window; pictures of that many pixels are written instead");
  std::string views;
  for (const auto& view : viz::make_views()) views += std::string(view->id()) + ", ";
  parser.add_option("--view", options.view,
                    "off screen: which picture; " + views + "window, or all (the window and each view)");
  parser.add_option("--step", options.step, "off screen: the step to show; default: the newest")
      ->check(CLI::NonNegativeNumber);
  parser.add_option("--theme", options.theme, "dark or light; default: what was used last")
      ->check(CLI::IsMember({"dark", "light"}));
  parser.add_option("--scale", options.scale, "size of the interface, 0.5 to 3; default: what was used last")
      ->check(CLI::Range(0.5, 3.0));
  parser.add_option("--screenshot", options.screenshot,
                    "off screen: path of the picture (.png); with --view all, views get <path>.<view>.png");
  parser.footer(
      "Keys: F1 in the window lists them. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 input refused, "
      "4 recording of a newer version, 5 damaged tail, 6 damaged middle.");
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      exit_code = parser.exit(error);
      return options;
    }
    throw Error(std::string(error.what()) + "; see sparsescope --help", ExitCode::Usage);
  }
  if (!size.empty()) parse_size(size, options);
  if (!options.files.empty() && options.wants_training()) {
    throw Error("either train a --preset or open recordings, not both", ExitCode::Usage);
  }
  if (options.is_offscreen && options.files.empty() && !options.wants_training()) {
    throw Error("--offscreen needs something to draw: a recording, or --preset NAME to train one",
                ExitCode::Usage);
  }
  const bool only_offscreen = !options.view.empty() || options.step >= 0 || !options.screenshot.empty();
  if (only_offscreen && !options.is_offscreen) {
    throw Error(
        "--view, --step and --screenshot draw pictures; add --offscreen WxH, for example --offscreen "
        "1920x1080",
        ExitCode::Usage);
  }
  exit_code = -1;
  return options;
}

}  // namespace sparsescope::app
