// The options, and which of them make no sense together.
#include "app/desktop_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "engine/trace/error.h"
#include "viz/views/view.h"
#include "viz/widgets/theme.h"

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

// "A:B:K": every K-th step from A to B, both included.
DesktopOptions::StepSequence parse_steps(const std::string& text) {
  std::array<std::uint64_t, 3> numbers{0, 0, 1};
  std::size_t count = 0, from = 0;
  const auto refuse = [&] {
    throw Error(fmt::format("--steps {} is no sequence; write FIRST:LAST:EVERY, for example 0:2000:20", text),
                ExitCode::Usage);
  };
  while (true) {
    const std::size_t to = std::min(text.find(':', from), text.size());
    const std::string digits = text.substr(from, to - from);
    if (count == 3 || digits.empty() || digits.size() > 18 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      refuse();
    numbers[count++] = std::stoull(digits);
    if (to == text.size()) break;
    from = to + 1;
  }
  if (count < 2 || numbers[0] > numbers[1] || numbers[2] == 0) refuse();
  return {numbers[0], numbers[1], numbers[2]};
}

// A sequence of pictures, or how many steps to train.
void read_steps(const std::string& text, DesktopOptions& options) {
  if (text.empty()) return;
#ifdef SPARSESCOPE_WITH_TRAINING
  if (options.frames_folder.empty() && text.find(':') == std::string::npos) {
    if (text.size() > 12 || text.find_first_not_of("0123456789") != std::string::npos ||
        std::stoll(text) == 0)
      throw Error(
          fmt::format("--steps {} is no number of training steps; write a whole number above 0", text),
          ExitCode::Usage);
    options.run.steps = std::stoll(text);
    return;
  }
#endif
  options.steps = parse_steps(text);
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
  parser.add_option("FILE", options.files, "recordings (.h5) and folders of experiments to open");
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
  parser
      .add_option("--theme", options.theme, "dark, light, projector or contrast; default: what was used last")
      ->check(CLI::IsMember(theme_names()));
  parser.add_option("--scale", options.scale, "size of the interface, 0.5 to 3; default: what was used last")
      ->check(CLI::Range(0.5, 3.0));
  parser.add_option(
      "--command", options.commands,
      "off screen: a command of the window to do before its picture, ID or ID=VALUE, for example "
      "layout.stock.talk, window.keys or view.routing; may stand several times");
  parser.add_option(
      "--screenshot", options.screenshot,
      "off screen: path of the picture (.png); with --view all, views get <path>.<view>.png; of a "
      "single view also .svg, .csv (what is visible) or .json (where it comes from)");
  // One word for two wishes: how long to train, and which steps become pictures.
  std::string steps;
#ifdef SPARSESCOPE_WITH_TRAINING
  parser.remove_option(parser.get_option("--steps"));
  constexpr const char* kSteps =
      "training steps; or, with --frames, FIRST:LAST:EVERY: a picture of each of these steps";
#else
  constexpr const char* kSteps =
      "off screen, with --frames: FIRST:LAST:EVERY, a picture of each of these steps";
#endif
  parser.add_option("--steps", steps, kSteps);
  parser.add_option("--frames", options.frames_folder,
                    "off screen: the folder of those pictures, made if missing");
  parser.add_flag(
      "--own-colors", options.has_own_colors,
      "each of those pictures ends its colours where its own data do; without it they share one scale");
  parser.add_flag("--safe-mode", options.is_safe_mode,
                  "ignore the user's settings and layouts, and leave them as they are");
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
  read_steps(steps, options);
  if (options.steps.has_value() != !options.frames_folder.empty())
    throw Error("--steps FIRST:LAST:EVERY and --frames FOLDER belong together", ExitCode::Usage);
  if (options.steps && (options.step >= 0 || !options.screenshot.empty() || options.view == "all"))
    throw Error("--steps draws many pictures of one view; leave out --step, --screenshot and --view all",
                ExitCode::Usage);
  if (options.has_own_colors && !options.steps)
    throw Error("--own-colors is about the pictures of --steps and --frames", ExitCode::Usage);
  const bool only_offscreen = !options.view.empty() || options.step >= 0 || !options.screenshot.empty() ||
                              options.steps || !options.commands.empty();
  if (only_offscreen && !options.is_offscreen) {
    throw Error(
        "--view, --step, --steps, --command and --screenshot draw pictures; add --offscreen WxH, for example "
        "--offscreen 1920x1080",
        ExitCode::Usage);
  }
  exit_code = -1;
  return options;
}

}  // namespace sparsescope::app
