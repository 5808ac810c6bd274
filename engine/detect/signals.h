// What each detector measures: one formula each, from numbers that the loop or a probe already has.
// Thresholds and states are not here.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "engine/detect/alarm.h"

namespace sparsescope::detect {

// numeric: how many values of a step (loss, logits, scores, gates, gradients, statistics) are not finite.
Reading numeric(std::int64_t non_finite_values);

// leak: the larger of the largest change of an earlier logit by a later token and the nats by which the
// held-out loss lies under a floor that no causal model can pass. Without a known floor pass -infinity.
Reading leak(double future_influence, double held_out_nats, double floor_nats);

// memorisation: held-out minus training loss in nats, if the training loss is below half the held-out one.
Reading memorisation(double train_nats, double held_out_nats);

// loop: distinct 4-grams / 4-grams of sampled ids; 1 where there are fewer than 4 ids.
Reading loop(std::span<const std::int32_t> ids);

// sink: share of samples, layers and heads whose mean attention to the first token exceeds 0.3, in 0..1.
Reading sink(double sink_rate);

// densify: sum of scope sizes over rows t >= 2W / sum of t over the same rows; row t has t past keys, self
// excluded. scope_sizes [T]: tokens in the scope of row t, batch mean. NaN where no row is that late.
Reading densify(std::span<const double> scope_sizes, std::int64_t window);

// starvation: share of rows without a direct declaration, in 0..1.
Reading starvation(double empty_rows);

// hub: share of past edges into the most attended 1 % of keys (rounded up). in_edges [T]: edges into each
// key. NaN without edges.
Reading hub(std::span<const std::int64_t> in_edges);

// constant-declaration: mean Jaccard index over all pairs of declared sets (each sorted, distinct); two empty
// sets are equal. NaN below two sets.
Reading constant_declaration(std::span<const std::vector<std::int32_t>> declared);

// churn: share of scope bits that differ between two probes of the same text, per step between them.
Reading churn(std::span<const std::uint64_t> before, std::span<const std::uint64_t> now, std::int64_t bits,
              std::int64_t steps_between);

// absorption: (loss with random routing of the same rate - loss as learned) in standard errors.
Reading absorption(double random_minus_learned_nats, double standard_error_nats);

// divergence: training loss minus its own minimum so far, nats. A loss that is not finite leaves the minimum
// alone.
class Divergence {
 public:
  Reading observe(double train_nats);

 private:
  double minimum_ = std::numeric_limits<double>::infinity();
};

// entropy-collapse: 1 - entropy / entropy one look-back ago (the oldest probe within it). 0 at the first
// probe.
class EntropyDrop {
 public:
  explicit EntropyDrop(std::int64_t look_back_steps) : look_back_steps_(look_back_steps) {}
  Reading observe(std::int64_t step, double normalised_entropy);

 private:
  struct Point {
    std::int64_t step;
    double entropy;
  };
  std::int64_t look_back_steps_;
  std::deque<Point> points_;
};

// threshold-drift: |theta - theta at the start| / reach (sum of learning rates so far), if at least 90 % of
// the last 20 increments between probes have one sign. 0 while the reach is 0.
class ThresholdDrift {
 public:
  explicit ThresholdDrift(double initial_theta) : initial_(initial_theta), last_(initial_theta) {}
  Reading observe(double theta, double reach);

 private:
  double initial_;
  double last_;
  std::deque<int> signs_;  // of the last increments, newest last
};

// prune-spiral: direct density / its own maximum so far, if theta rose since the last probe. 1 while nothing
// is declared.
class PruneSpiral {
 public:
  Reading observe(double direct_density, double theta);

 private:
  double maximum_ = 0.0;
  double last_theta_ = std::numeric_limits<double>::infinity();
};

}  // namespace sparsescope::detect
