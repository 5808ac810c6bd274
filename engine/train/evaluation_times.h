// How long the next evaluation will take: measured from earlier ones, else scaled from the step time by the
// arithmetic both need. No torch, no clock.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/train/trainer.h"

namespace sparsescope::train {

class EvaluationTimes {
 public:
  // `multiples`: the contexts that the run can evaluate, ascending.
  EvaluationTimes(const experiments::Experiment& experiment, std::int64_t vocabulary,
                  std::vector<std::int64_t> multiples)
      : experiment_(experiment), vocabulary_(vocabulary), multiples_(std::move(multiples)) {}

  void stepped(double forward_ms);
  void needle_took(std::int64_t multiple, double seconds) { needle_[multiple] = seconds; }
  void held_out_took(double seconds) { held_out_ = seconds; }

  // Empty before the first step or evaluation.
  std::vector<EvaluationEstimate> needle() const;
  double held_out_seconds() const;  // 0 before anything is known

 private:
  double needle_flops(std::int64_t multiple) const;

  experiments::Experiment experiment_;
  std::int64_t vocabulary_;
  std::vector<std::int64_t> multiples_;
  std::map<std::int64_t, double> needle_;  // seconds by multiple
  double held_out_ = 0;
  double seconds_per_flop_ = 0;  // of the forward pass of a step
};

}  // namespace sparsescope::train
