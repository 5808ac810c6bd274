#include "app/live_display.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "app/stop_signals.h"

namespace sparsescope::app {

std::string follow_run(TrainingRun& run, const LiveLine& line_of) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPausedForGood = std::chrono::seconds(2);
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  const auto period = is_terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(3000);
  bool asked_to_stop = false;
  std::string recorder_failure, recorder_note, notice, stopped_by;
  // Says what is new on a line of its own.
  const auto say = [is_terminal](const std::string& words, std::string& said) {
    if (words == said) return;
    said = words;
    if (!said.empty()) fmt::print(stderr, "{}{}\n", is_terminal ? "\r\033[K" : "", said);
  };
  Clock::time_point next = Clock::now(), running_at = next;
  const auto show = [&] {
    const std::string line = line_of(run.status());
    if (line.empty()) return;
    if (is_terminal) {
      fmt::print(stderr, "\r\033[K{}", line);
    } else {
      fmt::print(stderr, "{}\n", line);
    }
    std::fflush(stderr);
  };
  while (!run.is_finished()) {
    if (stop_signal_seen() && !asked_to_stop) {
      asked_to_stop = true;
      fmt::print(stderr, "{}stopping, closing the recording\n", is_terminal ? "\r\033[K" : "");
      run.post(trace::Stop{});
    }
    const record::WriterStats recorder = run.recorder_stats();
    const train::Status status = run.status();
    say(recorder.failure, recorder_failure);
    say(recorder.note, recorder_note);
    say(status.notice, notice);
    if (status.state != train::Status::State::Paused) running_at = Clock::now();
    if (Clock::now() - running_at > kPausedForGood && !asked_to_stop) {
      // Nobody here can resume: what paused it (a value that is not finite, say) ends the run, with its
      // words.
      asked_to_stop = true;
      stopped_by = status.message.empty() ? "paused" : status.message;
      fmt::print(stderr, "{}{}\n", is_terminal ? "\r\033[K" : "", stopped_by);
      run.post(trace::Stop{});
    }
    if (Clock::now() >= next) {
      show();
      next = Clock::now() + period;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  show();
  if (is_terminal) fmt::print(stderr, "\n");
  return stopped_by;
}

}  // namespace sparsescope::app
