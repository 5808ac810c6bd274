// Commands on their way to the training thread: posted from any thread, taken between steps. No meaning lives
// here.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "engine/trace/command.h"

namespace sparsescope::train {

class Inbox {
 public:
  using Clock = std::chrono::steady_clock;

  // Any thread.
  void post(trace::Command command);

  // Training thread: the oldest command, or nothing.
  std::optional<trace::Command> take();
  // Whether there is one to take.
  bool is_waiting() const;
  // Waits until a command is there or `deadline` has passed; without a deadline for as long as it takes.
  void wait(std::optional<Clock::time_point> deadline);
  // Any thread: makes one wait, running or next, return at once.
  void wake();

  // What may interrupt an evaluation or the preparation of data.
  enum class Interrupt { None, CancelEvaluation, Stop };
  // Stop stays in the queue; a waiting CancelEvaluation is taken out.
  Interrupt interrupt();

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<trace::Command> queue_;
  bool is_woken_ = false;
};

}  // namespace sparsescope::train
