#include "engine/train/ab_windows.h"

#include <algorithm>

namespace sparsescope::train {

void AbWindows::begin(std::int64_t cadence) {
  *this = {};
  cadence_ = cadence;
  window_ = std::clamp<std::int64_t>(cadence / 2, 1, kLongestWindow);
}

std::optional<AbWindows::Result> AbWindows::stepped(double whole_ms) {
  if (!is_running()) return std::nullopt;
  const std::int64_t offset = position_++ % std::max<std::int64_t>(cadence_, 2);
  if (offset < window_) {
    with_ms_ += whole_ms;
  } else if (offset < 2 * window_) {
    without_ms_ += whole_ms;
  }
  if (offset != 2 * window_ - 1) return std::nullopt;
  // One window with a probe stands for the `cadence` steps that share that probe.
  const double step_ms = without_ms_ / static_cast<double>(window_);
  if (step_ms > 0)
    pairs_percent_.push_back(100 * (with_ms_ - without_ms_) / (static_cast<double>(cadence_) * step_ms));
  with_ms_ = without_ms_ = 0;
  if (std::ssize(pairs_percent_) < kPairs) return std::nullopt;
  std::sort(pairs_percent_.begin(), pairs_percent_.end());
  const Result result{pairs_percent_[kPairs / 2], (pairs_percent_.back() - pairs_percent_.front()) / 2,
                      window_};
  abort();
  return result;
}

}  // namespace sparsescope::train
