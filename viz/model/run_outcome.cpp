#include "viz/model/run_outcome.h"

#include <algorithm>
#include <cmath>

#include "viz/model/needle_query.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

void add_evaluations(const QueryFrame& frame, std::vector<OutcomeNumber>& numbers) {
  struct Evaluation {
    const char *label, *name, *unit;
  };
  constexpr Evaluation kEvaluations[] = {{"val_nll", "held-out loss", "nats"},
                                         {"perplexity", "perplexity", "1"},
                                         {"bits_per_byte", "bits per byte", "1"}};
  const Track* track = frame.run.track("evaluation");
  if (track == nullptr) return;
  for (const Evaluation& evaluation : kEvaluations) {
    if (const Series* series = frame.run.series("evaluation", {evaluation.label}))
      numbers.push_back({evaluation.name, evaluation.unit, value_at_cursor(frame, *track, *series)});
  }
}

void add_needle(const QueryFrame& frame, std::vector<OutcomeNumber>& numbers) {
  if (frame.run.track("needle") == nullptr) return;
  const NeedlePicture picture = needle_query(frame, {});
  if (picture.runs.empty()) return;
  for (const NeedleContext& context : picture.runs.front().contexts)
    numbers.push_back({"needle " + context.label, "nats", context.mean.signal});
}

void add_thresholds(const QueryFrame& frame, std::vector<OutcomeNumber>& numbers) {
  const LayerSpan span = DensitySettings{}.layers;
  if (frame.run.track("density") != nullptr) {
    const DensityFacts facts = density_facts(frame, span);
    const bool is_known = std::isfinite(facts.now);
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    numbers.push_back({"direct density", "1", is_known ? facts.now_direct : unknown});
    numbers.push_back({"fallback density", "1", is_known ? facts.now_fallback : unknown});
  }
  const Track* track = frame.run.track("threshold");
  if (track == nullptr) return;
  const LayerSpan layers = cut_span(span, layers_of(frame.run, *track));
  double sum = 0;
  for (std::int64_t layer = layers.first; layer <= layers.last; ++layer) {
    const Series* theta = frame.run.series("threshold", {std::to_string(layer), "theta"});
    sum +=
        theta != nullptr ? value_at_cursor(frame, *track, *theta) : std::numeric_limits<double>::quiet_NaN();
  }
  numbers.push_back({"theta", "1", sum / static_cast<double>(layers.last - layers.first + 1)});
}

}  // namespace

std::vector<OutcomeNumber> run_outcome(const QueryFrame& frame) {
  std::vector<OutcomeNumber> numbers;
  add_evaluations(frame, numbers);
  add_needle(frame, numbers);
  add_thresholds(frame, numbers);
  return numbers;
}

Spread spread_of(std::span<const double> values) {
  Spread spread;
  double sum = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++spread.count;
  }
  if (spread.count == 0) return spread;
  const auto count = static_cast<double>(spread.count);
  spread.mean = sum / count;
  if (spread.count < 2) return spread;
  double squares = 0;
  for (const double value : values) {
    if (std::isfinite(value)) squares += (value - spread.mean) * (value - spread.mean);
  }
  spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

std::string spread_in_words(const Spread& spread) {
  if (spread.count == 0) return kAbsent;
  if (spread.count == 1) return format_number(spread.mean);
  if (spread.deviation == 0) return format_number(spread.mean) + " ± 0";
  // The sign is said where it means a direction; here a number stands for itself.
  auto [mean, deviation] = rounded_to_error(spread.mean, spread.deviation);
  if (mean.starts_with('+')) mean.erase(0, 1);
  return mean + " ± " + deviation;
}

}  // namespace sparsescope::viz
