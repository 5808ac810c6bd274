// One sentence that says what a picture shows, from plain numbers. Pure functions, so that the words are
// tested.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "viz/model/picture.h"

namespace sparsescope::viz {

// Least-squares slope of the columns' last values, per 1,000 steps, from `from_step` to `to_step`
// (inclusive); NaN with fewer than three columns.
double slope_per_thousand(std::span<const Column> columns, std::uint64_t from_step, std::uint64_t to_step);

// {0, 2, 3, 4} -> "layers 0 and 2–4"; {3} -> "layer 3"; all of `layers` -> "all layers".
std::string layers_in_words(const std::vector<std::int64_t>& some, std::int64_t layers);

struct LayerSlope {
  std::int64_t layer = 0;
  double per_thousand = 0;  // NaN: unknown
};
// "Falling 0.21 per 1,000 steps in layers 1–5; layer 0 holds". `span_steps` is what the slopes were taken
// over: a layer holds when it moves by less than a tenth of the fastest and by less than `hold` altogether.
std::string slopes_in_words(std::span<const LayerSlope> slopes, double span_steps, double hold);

// "0.71 now, 0.23 at the start; the fallback window made all of the first 0.23"
struct DensityFacts {
  double now = 0, start = 0;  // scope density; NaN: unknown
  double start_direct = 0, start_inherited = 0, start_fallback = 0;
  double now_direct = 0, now_inherited = 0, now_fallback = 0;
};
std::string density_in_words(const DensityFacts& facts);

// "3.142 nats per token at step 1,236, falling 0.31 per 1,000 steps; held-out 3.35"
struct LossFacts {
  double now = 0;  // training loss; NaN: unknown
  std::uint64_t step = 0;
  double per_thousand = 0;  // NaN: too few steps to say
  std::string slope_span;   // " over steps 50 to 100" when it is not the recent past
  double held_out = 0;      // NaN: not evaluated yet
  std::uint64_t first_invalid_step = 0, invalid_samples = 0;
  bool is_smoothed = false;  // `now` is a moving average
};
std::string loss_in_words(const LossFacts& facts);

}  // namespace sparsescope::viz
