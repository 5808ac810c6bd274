// What watching costs, by experiment: windows of steps that begin with a probe against equally long windows
// right after them without one, A B A B .... It only adds up times; no clock, no probe and no budget here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sparsescope::train {

class AbWindows {
 public:
  static constexpr int kPairs = 5;
  static constexpr std::int64_t kLongestWindow = 4;  // steps: longer ones add noise, not probes

  bool is_running() const { return cadence_ > 0; }
  // Begins with the step that has just taken a probe; probes come every `cadence` steps.
  void begin(std::int64_t cadence);
  void abort() { cadence_ = 0; }
  // Whether the coming step lies in a window without a probe although one is due: at a cadence of one step.
  bool wants_quiet_step() const { return cadence_ == 1 && position_ % 2 == 1; }

  struct Result {
    double percent = 0;         // of the training time, median over the pairs; below 0 where noise is larger
    double spread_percent = 0;  // half the range of the pairs
    std::int64_t window_steps = 0;
  };
  // A step is over and took this long, probe and recording included. A result ends the experiment.
  std::optional<Result> stepped(double whole_ms);

 private:
  std::int64_t cadence_ = 0;   // 0: not running
  std::int64_t window_ = 0;    // steps
  std::int64_t position_ = 0;  // steps since begin()
  double with_ms_ = 0, without_ms_ = 0;
  std::vector<double> pairs_percent_;
};

}  // namespace sparsescope::train
