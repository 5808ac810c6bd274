// The formulas of the detectors' signals.
#include "engine/detect/signals.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <set>

#include "engine/trace/error.h"

namespace sparsescope::detect {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kSigns = 20;
constexpr std::size_t kSameSigns = 18;  // 90 % of them

double jaccard(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::vector<std::int32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const std::size_t either = a.size() + b.size() - both.size();
  return either == 0 ? 1.0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

Condition met_if(bool holds) { return holds ? Condition::Met : Condition::Unmet; }

}  // namespace

Reading numeric(std::int64_t non_finite_values) { return {static_cast<double>(non_finite_values)}; }

Reading leak(double future_influence, double held_out_nats, double floor_nats) {
  return {std::max({0.0, future_influence, floor_nats - held_out_nats})};
}

Reading memorisation(double train_nats, double held_out_nats) {
  return {held_out_nats - train_nats, met_if(train_nats < 0.5 * held_out_nats)};
}

Reading loop(std::span<const std::int32_t> ids) {
  if (ids.size() < 4) return {1.0};
  std::set<std::array<std::int32_t, 4>> distinct;
  const std::size_t count = ids.size() - 3;
  for (std::size_t i = 0; i < count; ++i) distinct.insert({ids[i], ids[i + 1], ids[i + 2], ids[i + 3]});
  return {static_cast<double>(distinct.size()) / static_cast<double>(count)};
}

Reading sink(double sink_rate) { return {sink_rate}; }

Reading densify(std::span<const double> scope_sizes, std::int64_t window) {
  double edges = 0.0;
  double pairs = 0.0;
  for (std::size_t t = static_cast<std::size_t>(2 * window); t < scope_sizes.size(); ++t) {
    edges += scope_sizes[t];
    pairs += static_cast<double>(t);
  }
  return {pairs > 0.0 ? edges / pairs : kNaN};
}

Reading starvation(double empty_rows) { return {empty_rows}; }

Reading hub(std::span<const std::int64_t> in_edges) {
  const std::int64_t all = std::accumulate(in_edges.begin(), in_edges.end(), std::int64_t{0});
  if (all == 0) return {kNaN};
  std::vector<std::int64_t> sorted(in_edges.begin(), in_edges.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const auto top = static_cast<std::ptrdiff_t>((sorted.size() + 99) / 100);
  const std::int64_t into = std::accumulate(sorted.begin(), sorted.begin() + top, std::int64_t{0});
  return {static_cast<double>(into) / static_cast<double>(all)};
}

Reading constant_declaration(std::span<const std::vector<std::int32_t>> declared) {
  if (declared.size() < 2) return {kNaN};
  double sum = 0.0;
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    for (std::size_t j = i + 1; j < declared.size(); ++j, ++pairs) sum += jaccard(declared[i], declared[j]);
  }
  return {sum / static_cast<double>(pairs)};
}

Reading churn(std::span<const std::uint64_t> before, std::span<const std::uint64_t> now, std::int64_t bits,
              std::int64_t steps_between) {
  check(before.size() == now.size() && bits > 0 && steps_between > 0,
        "churn compares two probes of one text");
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < now.size(); ++i) changed += std::popcount(before[i] ^ now[i]);
  return {static_cast<double>(changed) / static_cast<double>(bits) / static_cast<double>(steps_between)};
}

Reading absorption(double random_minus_learned_nats, double standard_error_nats) {
  return {standard_error_nats > 0.0 ? random_minus_learned_nats / standard_error_nats : kNaN};
}

Reading Divergence::observe(double train_nats) {
  if (std::isfinite(train_nats)) minimum_ = std::min(minimum_, train_nats);
  return {train_nats - minimum_};
}

Reading EntropyDrop::observe(std::int64_t step, double normalised_entropy) {
  if (!std::isfinite(normalised_entropy)) return {kNaN};
  points_.push_back({step, normalised_entropy});
  while (points_.front().step < step - look_back_steps_) points_.pop_front();
  const double before = points_.front().entropy;
  return {before > 0.0 ? 1.0 - normalised_entropy / before : kNaN};
}

Reading ThresholdDrift::observe(double theta, double reach) {
  if (!std::isfinite(theta)) return {kNaN};
  signs_.push_back((theta > last_) - (theta < last_));
  if (signs_.size() > kSigns) signs_.pop_front();
  last_ = theta;
  const auto up = static_cast<std::size_t>(std::count(signs_.begin(), signs_.end(), 1));
  const auto down = static_cast<std::size_t>(std::count(signs_.begin(), signs_.end(), -1));
  return {reach > 0.0 ? std::abs(theta - initial_) / reach : 0.0, met_if(std::max(up, down) >= kSameSigns)};
}

Reading PruneSpiral::observe(double direct_density, double theta) {
  if (std::isfinite(direct_density)) maximum_ = std::max(maximum_, direct_density);
  const Condition rising = met_if(theta > last_theta_);
  last_theta_ = theta;
  return {maximum_ > 0.0 ? direct_density / maximum_ : 1.0, rising};
}

}  // namespace sparsescope::detect
