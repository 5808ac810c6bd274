// sparsescope-cli describe: what views show of a recording at a step, in sentences, with the table, or as
// CSV.
#include "viz/model/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "app/cli/cli.h"
#include "app/opened_recording.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

struct DescribeOptions {
  std::string path, view;
  std::string baseline;    // path of another recording; empty: none
  std::int64_t step = -1;  // negative: the newest
  bool with_table = false, as_csv = false;
};

void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// Heavy rows come one after the other; each answer may ask for the next.
viz::Description described_whole(const std::string& view, viz::Timeline& timeline, viz::Run& run,
                                 const viz::Comparison& comparison) {
  viz::QueryFrame frame{timeline, run};
  frame.comparison = comparison;
  viz::Description description = viz::describe(view, frame);
  while (description.state == viz::PictureState::Loading || timeline.is_busy()) {
    wait_a_little();
    timeline.update(0);
    description = viz::describe(view, frame);
  }
  return description;
}

// What one view says; how long its table is goes to the terminal when it is left out.
std::string text_of_view(const DescribeOptions& options, viz::Timeline& timeline, viz::Run& run,
                         const viz::Comparison& comparison) {
  viz::Description description = described_whole(options.view, timeline, run, comparison);
  if (description.state == viz::PictureState::Failed || description.state == viz::PictureState::NotApplicable)
    throw Error(fmt::format("{}", fmt::join(description.twin.lines, "; ")), ExitCode::Failed);
  // The numbers alone could not say that they are those of one run.
  if (options.as_csv && !description.no_difference.empty())
    throw Error("no difference to " + options.baseline + ": " + description.no_difference, ExitCode::Refused);
  if (options.as_csv) return viz::csv_of(description.twin.table);
  if (!options.with_table) {
    const viz::Table table = std::exchange(description.twin.table, {});
    if (!table.rows.empty())
      fmt::print(stderr, "--table adds its table of {} rows, --csv prints only that\n", table.rows.size());
  }
  return viz::text_of(description.twin);
}

int describe_recording(const DescribeOptions& options) {
  viz::Timeline timeline;
  viz::Run& run = load_recording(timeline, options.path);
  viz::Comparison comparison;
  if (!options.baseline.empty()) {
    comparison.baseline = load_recording(timeline, options.baseline).id();
    comparison.beside = {run.id()};
  }
  if (options.step >= 0) {
    const auto step = static_cast<std::uint64_t>(options.step);
    if (run.rows() == 0 || step < run.first_step() || step > run.newest_step()) {
      throw Error(fmt::format("--step {}: the recording has steps {} to {}", step, run.first_step(),
                              run.newest_step()),
                  ExitCode::Usage);
    }
    timeline.cursor().seek(step);
  }
  std::string text;
  if (options.view.empty()) {
    for (const std::string& view : viz::described_views()) {
      viz::Twin twin = described_whole(view, timeline, run, comparison).twin;
      twin.table = {};
      text += (text.empty() ? "" : "\n") + viz::text_of(twin);
    }
  } else {
    text = text_of_view(options, timeline, run, comparison);
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error("the description could not be written whole: is the disk full?");
  return 0;
}

}  // namespace

void add_describe_command(CLI::App& parser, CommandAction& chosen) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* command = parser.add_subcommand("describe", "Say in words and numbers what a view shows");
  command->add_option("file", options->path, "the recording")->required();
  CLI::Option* view = command->add_option(
      "--view", options->view,
      fmt::format("one of {}; default: the sentences of all", fmt::join(viz::described_views(), ", ")));
  command->add_option("--baseline", options->baseline,
                      "another recording, run A: beside it in lines, subtracted from maps and grids");
  command->add_option("--step", options->step, "the step to describe; default: the newest")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--table", options->with_table, "the table too, tab-separated")->needs(view);
  command->add_flag("--csv", options->as_csv, "only the table, comma-separated")->needs(view);
  command->callback([options, &chosen] { chosen = [options] { return describe_recording(*options); }; });
}

}  // namespace sparsescope::app
