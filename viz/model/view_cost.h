// What the window itself takes of the computer while it watches: the share of one processor that its thread
// was at work. The program tells it times; it has no clock.
#pragma once

#include <optional>

namespace sparsescope::viz {

class ViewCost {
 public:
  static constexpr double kWindowSeconds = 5;  // long enough to average over frames, short enough to follow

  // `wall` seconds went by, in which the window's thread was at work for `busy` seconds.
  void add(double wall, double busy) {
    wall_ += wall;
    busy_ += busy;
    if (wall_ < kWindowSeconds) return;
    share_ = busy_ / wall_;
    wall_ = busy_ = 0;
  }
  // 1: the whole of one processor; nothing: the first window is not over.
  std::optional<double> processor_share() const { return share_; }

 private:
  double wall_ = 0, busy_ = 0;
  std::optional<double> share_;
};

}  // namespace sparsescope::viz
