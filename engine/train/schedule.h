// The learning rate as a function of the step: warm-up, then a cosine to a floor. Nothing else.
#pragma once

#include <cstdint>

#include "engine/experiments/experiment.h"

namespace sparsescope::train {

class Schedule {
 public:
  // `total_steps` N >= 1; the cosine ends there.
  Schedule(const experiments::OptimizerConfig& config, std::int64_t total_steps);

  // lr(i) = lr * min(1, (i+1)/warmup) * (f + (1-f)/2 (1 + cos(pi i/N))) for step i = 0 .. N-1, in double; f
  // is the floor.
  double learning_rate(std::int64_t step) const;

 private:
  double peak_;
  double floor_;
  std::int64_t warmup_steps_;
  std::int64_t total_steps_;
};

}  // namespace sparsescope::train
