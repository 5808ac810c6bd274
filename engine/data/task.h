// How a long preparation reports where it is and learns that nobody waits for it any more.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace sparsescope::data {

// Thrown out of a preparation whose `cancelled` answered true. Not a failure: nothing half-made is left
// behind.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("the preparation of the text was cancelled") {}
};

// Both are called from the thread that works, at most some hundred times a second; either may be empty.
struct Task {
  std::function<void(const std::string& text, double fraction)> progress;  // 0..1, negative when unknown
  std::function<bool()> cancelled;

  // Reports, then throws Cancelled if asked to.
  void report(const std::string& text, double fraction) const {
    if (progress) progress(text, fraction);
    if (cancelled && cancelled()) throw Cancelled();
  }
};

}  // namespace sparsescope::data
