#include "engine/train/evaluation_times.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/train/cost_model.h"

namespace sparsescope::train {

void EvaluationTimes::stepped(double forward_ms) {
  const experiments::ModelConfig& model = experiment_.model;
  const double flops = static_cast<double>(experiment_.train.batch * model.context) *
                       forward_flops_per_token(model, vocabulary_, model.context);
  const double now = forward_ms / 1000 / flops;
  seconds_per_flop_ = seconds_per_flop_ == 0 ? now : 0.9 * seconds_per_flop_ + 0.1 * now;
}

double EvaluationTimes::needle_flops(std::int64_t multiple) const {
  const experiments::EvaluationConfig& config = experiment_.evaluation;
  const std::int64_t context = multiple * experiment_.model.context;
  const double texts = 2 * static_cast<double>(std::ssize(config.needle_depths) * config.needle_trials);
  return texts * static_cast<double>(context) *
         forward_flops_per_token(experiment_.model, vocabulary_, context);
}

std::vector<EvaluationEstimate> EvaluationTimes::needle() const {
  std::vector<EvaluationEstimate> estimates;
  for (std::int64_t multiple : multiples_) {
    EvaluationEstimate estimate{static_cast<int>(multiple), 0, false};
    if (const auto found = needle_.find(multiple); found != needle_.end()) {
      estimate.seconds = found->second;
      estimate.is_measured = true;
    } else if (!needle_.empty()) {
      // The measured context that is nearest, by the arithmetic of both.
      const auto nearest =
          std::min_element(needle_.begin(), needle_.end(), [&](const auto& a, const auto& b) {
            return std::abs(a.first - multiple) < std::abs(b.first - multiple);
          });
      estimate.seconds = nearest->second * needle_flops(multiple) / needle_flops(nearest->first);
    } else if (seconds_per_flop_ > 0) {
      estimate.seconds = seconds_per_flop_ * needle_flops(multiple);
    } else {
      return {};
    }
    estimates.push_back(estimate);
  }
  return estimates;
}

double EvaluationTimes::held_out_seconds() const {
  if (held_out_ > 0) return held_out_;
  const experiments::ModelConfig& model = experiment_.model;
  return seconds_per_flop_ * static_cast<double>(experiment_.evaluation.windows * model.context) *
         forward_flops_per_token(model, vocabulary_, model.context);
}

}  // namespace sparsescope::train
