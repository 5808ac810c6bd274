// sparsescope-cli describe: what a view shows of a recording at a step, as text or CSV.
#include "viz/model/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "app/cli/cli.h"
#include "app/opened_recording.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

struct DescribeOptions {
  std::string path, view;
  std::int64_t step = -1;  // negative: the newest
  bool as_csv = false;
};

void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

int describe_recording(const DescribeOptions& options) {
  viz::Timeline timeline;
  viz::Run& run = load_recording(timeline, options.path);
  if (options.step >= 0) {
    const auto step = static_cast<std::uint64_t>(options.step);
    if (run.rows() == 0 || step < run.first_step() || step > run.newest_step()) {
      throw Error(fmt::format("--step {}: the recording has steps {} to {}", step, run.first_step(),
                              run.newest_step()),
                  ExitCode::Usage);
    }
    timeline.cursor().seek(step);
  }
  const viz::QueryFrame frame{timeline, run};
  viz::Description description = viz::describe(options.view, frame);
  // Heavy rows come one after the other; each answer may ask for the next.
  while (description.state == viz::PictureState::Loading || timeline.is_busy()) {
    wait_a_little();
    timeline.update(0);
    description = viz::describe(options.view, frame);
  }
  if (description.state == viz::PictureState::Failed || description.state == viz::PictureState::NotApplicable)
    throw Error(fmt::format("{}", fmt::join(description.twin.lines, "; ")), ExitCode::Failed);
  const std::string text =
      options.as_csv ? viz::csv_of(description.twin.table) : viz::text_of(description.twin);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error("the description could not be written whole: is the disk full?");
  return 0;
}

}  // namespace

void add_describe_command(CLI::App& parser, CommandAction& chosen) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* command = parser.add_subcommand("describe", "Say in words and numbers what a view shows");
  command->add_option("file", options->path, "the recording")->required();
  command
      ->add_option("--view", options->view, fmt::format("one of {}", fmt::join(viz::described_views(), ", ")))
      ->required();
  command->add_option("--step", options->step, "the step to describe; default: the newest")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--csv", options->as_csv, "only the table, comma-separated");
  command->callback([options, &chosen] { chosen = [options] { return describe_recording(*options); }; });
}

}  // namespace sparsescope::app
