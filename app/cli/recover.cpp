// sparsescope-cli recover: what is good of an unclosed or damaged recording, as a new one.
#include "engine/record/recover.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "app/cli/cli.h"
#include "app/stop_signals.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

struct RecoverOptions {
  std::string path, output;
  bool salvages = false;
};

int recover_recording(const RecoverOptions& options) {
  catch_stop_signals();
  const std::string to = options.output.empty() ? record::recovered_path(options.path) : options.output;
  const bool shows = ::isatty(STDERR_FILENO) != 0;
  int shown = -1;
  const auto progress = [&](double fraction) {
    const int percent = static_cast<int>(std::floor(100 * fraction));
    if (shows && percent != shown) fmt::print(stderr, "\r{} %", shown = percent);
    return !stop_signal_seen();
  };
  const record::Recovered recovered =
      record::recover(options.path, to, progress,
                      options.salvages ? record::BadFrames::LeaveOut : record::BadFrames::EndTheCopy);
  if (shown >= 0) fmt::print(stderr, "\r");
  fmt::print("{}\n{}\n", record::words_of(recovered), to);
  if (recovered.is_whole()) return static_cast<int>(ExitCode::Done);
  return static_cast<int>(recovered.has_gap ? ExitCode::DamagedMiddle : ExitCode::DamagedTail);
}

}  // namespace

void add_recover_command(CLI::App& parser, CommandAction& chosen) {
  auto options = std::make_shared<RecoverOptions>();
  CLI::App* command = parser.add_subcommand(
      "recover", "Copy what is good of an unclosed or damaged recording into a new one");
  command->add_option("file", options->path, "the recording; it is only read")->required();
  command->add_option("-o,--output", options->output, "a new file; default: NAME.recovered.h5 beside it");
  command->add_flag("--salvage", options->salvages,
                    "leave frames out that cannot be read and go on, instead of ending before the first");
  command->callback([options, &chosen] { chosen = [options] { return recover_recording(*options); }; });
}

}  // namespace sparsescope::app
