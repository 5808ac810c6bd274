#include "engine/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/trace/error.h"

namespace sparsescope::train {

Schedule::Schedule(const experiments::OptimizerConfig& config, std::int64_t total_steps)
    : peak_(config.learning_rate),
      floor_(config.final_lr_fraction),
      warmup_steps_(config.warmup_steps),
      total_steps_(total_steps) {
  check(total_steps >= 1, "a schedule needs at least one step");
}

double Schedule::learning_rate(std::int64_t step) const {
  const double i = static_cast<double>(step);
  const double warmup = warmup_steps_ > 0 ? std::min(1.0, (i + 1) / static_cast<double>(warmup_steps_)) : 1.0;
  const double cosine = 1 + std::cos(std::numbers::pi * i / static_cast<double>(total_steps_));
  return peak_ * warmup * (floor_ + 0.5 * (1 - floor_) * cosine);
}

}  // namespace sparsescope::train
