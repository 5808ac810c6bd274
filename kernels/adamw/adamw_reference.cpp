// The update of a training step on the CPU, arithmetic in fp64: what the kernels are compared with. And the
// map from tiles to segments, which is made on the host.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "kernels/adamw/adamw.h"

namespace sparsescope::kernels {
namespace {

const AdamwSegment* segment_of(const AdamwBuffers& buffers, std::int64_t i) {
  const std::uint16_t index = buffers.map[i / kSegmentAlignment];
  return index == kNoSegment ? nullptr : buffers.segments + index;
}

bool is_trained(const AdamwSegment* segment) {
  return segment != nullptr && segment->freedom == AdamwSegment::Freedom::Trained;
}

double threshold_after(double before, double after, const UpdateScalars& scalars) {
  const double kept = *scalars.threshold_freeze > 0.5f ? before : after;
  return std::min<double>(std::max<double>(kept, *scalars.threshold_min), *scalars.threshold_max);
}

}  // namespace

std::vector<std::uint16_t> segment_map(std::span<const AdamwSegment> segments, std::int64_t n) {
  if (n % kSegmentAlignment != 0) throw std::invalid_argument("a flat buffer is a whole number of tiles");
  if (segments.size() >= kNoSegment) throw std::invalid_argument("more segments than 16 bits can name");
  std::vector<std::uint16_t> map(n / kSegmentAlignment, kNoSegment);
  std::int64_t taken = 0;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const AdamwSegment& segment = segments[s];
    const std::int64_t end = segment.begin + segment.size;
    if (segment.begin % kSegmentAlignment != 0 || segment.begin < taken || segment.size < 0 || end > n) {
      throw std::invalid_argument("segment " + std::to_string(s) +
                                  " is not aligned, overlaps the one before it or leaves the buffer");
    }
    taken = (end + kSegmentAlignment - 1) / kSegmentAlignment * kSegmentAlignment;
    std::fill(map.begin() + segment.begin / kSegmentAlignment, map.begin() + taken / kSegmentAlignment,
              std::uint16_t(s));
  }
  return map;
}

void gradient_squares_reference(const AdamwBuffers& buffers, double* partials) {
  std::fill_n(partials, kNormPartials, 0.0);
  for (std::int64_t i = 0; i < buffers.n; ++i) {
    if (is_trained(segment_of(buffers, i)))
      partials[0] += double(buffers.gradients[i]) * buffers.gradients[i];
  }
}

void prepare_update_reference(const double* partials, ScheduleRule schedule, AdamwRule rule,
                              const UpdateScalars& scalars) {
  double squares = 0;
  for (std::int64_t i = 0; i < kNormPartials; ++i) squares += partials[i];
  const double norm = std::sqrt(squares);
  *scalars.gradient_norm = float(norm);
  const bool is_finite = std::isfinite(*scalars.loss) && std::isfinite(*scalars.gradient_norm) &&
                         (scalars.non_finite == nullptr || *scalars.non_finite == 0);
  *scalars.found_non_finite = is_finite ? 0.0f : 1.0f;

  const double i = double((*scalars.step)++);
  const double warmup =
      schedule.warmup_steps > 0 ? std::min(1.0, (i + 1) / double(schedule.warmup_steps)) : 1.0;
  const double cosine = 1 + std::cos(std::numbers::pi * i / double(schedule.total_steps));
  *scalars.learning_rate =
      float(schedule.peak * warmup * (schedule.floor + 0.5 * (1 - schedule.floor) * cosine) *
            *scalars.learning_rate_scale);

  if (is_finite) ++*scalars.updates;
  const double t = double(*scalars.updates);
  scalars.factors[0] = rule.clip > 0 ? float(std::min(1.0, rule.clip / norm)) : 1.0f;
  scalars.factors[1] = float(1 - std::pow(rule.beta1, t));
  scalars.factors[2] = float(std::sqrt(1 - std::pow(rule.beta2, t)));
}

void adamw_reference(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars) {
  const bool moves = *scalars.found_non_finite == 0;
  for (std::int64_t i = 0; i < buffers.n; ++i) {
    const AdamwSegment* segment = segment_of(buffers, i);
    if (moves && is_trained(segment) && i < segment->begin + segment->size) {
      const double rate = double(*scalars.learning_rate) * segment->lr_multiplier;
      const double g = double(buffers.gradients[i]) * scalars.factors[0];
      buffers.m[i] = float(rule.beta1 * buffers.m[i] + (1 - rule.beta1) * g);
      buffers.v[i] = float(rule.beta2 * buffers.v[i] + (1 - rule.beta2) * g * g);
      const double before = buffers.parameters[i];
      const double denominator = std::sqrt(double(buffers.v[i])) / scalars.factors[2] + rule.eps;
      double after = before * (1 - rate * segment->weight_decay) -
                     rate * (double(buffers.m[i]) / scalars.factors[1]) / denominator;
      if (segment->role == AdamwSegment::Role::Threshold) after = threshold_after(before, after, scalars);
      buffers.parameters[i] = float(after);
      buffers.copy[i] = bfloat16_from_float(buffers.parameters[i]);
    }
    buffers.gradients[i] = 0;
  }
}

}  // namespace sparsescope::kernels
