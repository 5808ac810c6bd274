// A flat model in miniature with every sort of segment, shared by the CPU and GPU tests of the update.
#pragma once

#include "kernels/adamw/adamw.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {

// Scalars of the update on the host.
struct AdamwHostScalars {
  float loss = 1;
  std::int32_t non_finite = 0;
  float learning_rate_scale = 1, threshold_min = -1000, threshold_max = 1000, threshold_freeze = 0;
  std::int64_t step = 0, updates = 0;
  float learning_rate = NAN, gradient_norm = NAN, found_non_finite = NAN;
  float factors[kUpdateFactors] = {NAN, NAN, NAN};

  UpdateScalars pointers() {
    return {&loss, &non_finite, &learning_rate_scale, &threshold_min, &threshold_max,    &threshold_freeze,
            &step, &updates,    &learning_rate,       &gradient_norm, &found_non_finite, factors};
  }
};

struct AdamwCase {
  std::vector<AdamwSegment> segments;
  std::int64_t n = 0;
  std::vector<std::uint16_t> map;
  std::vector<float> parameters, gradients, m, v;  // [n], padding zero
  std::vector<Bfloat16> copy;                      // [n]
  ScheduleRule schedule{2e-3, 0.1, 10, 60};
  AdamwRule rule{0.9, 0.95, 1e-8, 1.0};
  AdamwHostScalars scalars;

  AdamwBuffers buffers() {
    return {n,        parameters.data(), gradients.data(), m.data(),
            v.data(), copy.data(),       segments.data(),  map.data()};
  }
  // Normal gradients of the size `deviation` everywhere but in padding.
  void draw_gradients(std::uint32_t seed, float deviation) {
    const std::vector<float> drawn = normal_floats(n, seed, deviation);
    for (const AdamwSegment& segment : segments) {
      for (std::int64_t i = segment.begin; i < segment.begin + segment.size; ++i) gradients[i] = drawn[i];
    }
  }
  void step_on_the_host() {
    std::vector<double> partials(kNormPartials);
    gradient_squares_reference(buffers(), partials.data());
    prepare_update_reference(partials.data(), schedule, rule, scalars.pointers());
    adamw_reference(buffers(), rule, scalars.pointers());
  }
};

// Segments of the given description one behind the other, each from a new tile on.
inline AdamwCase make_adamw_case(std::vector<AdamwSegment> segments, std::uint32_t seed) {
  AdamwCase made;
  for (AdamwSegment& segment : segments) {
    segment.begin = made.n;
    made.n += (segment.size + kSegmentAlignment - 1) / kSegmentAlignment * kSegmentAlignment;
  }
  made.n += kSegmentAlignment;  // a tile of nothing but padding
  made.segments = segments;
  made.map = segment_map(segments, made.n);
  made.parameters.assign(made.n, 0);
  made.gradients = made.m = made.v = made.parameters;
  made.draw_gradients(seed, 1);
  std::swap(made.parameters, made.gradients);
  made.copy = rounded(made.parameters);
  return made;
}

// Weights, a frozen segment between trained ones, gains without decay, two thresholds with their own rate.
inline std::vector<AdamwSegment> mixed_segments() {
  using enum AdamwSegment::Freedom;
  using enum AdamwSegment::Role;
  return {{0, 3000, 1, 0.1f, Trained, Weight}, {0, 37, 1, 0, Trained, Weight},
          {0, 130, 1, 0.1f, Frozen, Weight},   {0, 1, 3, 0, Trained, Threshold},
          {0, 1, 3, 0, Trained, Threshold},    {0, 64, 0.5f, 0.1f, Trained, Weight}};
}

}  // namespace sparsescope::kernels
