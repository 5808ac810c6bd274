// Windows of tokens for training, validation and probes. Host memory only; tensors are made by who asks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/random.h"

namespace sparsescope::data {

// Copies windows of `length` tokens that start at `starts`: [starts, length]. Throws Error when one does not
// fit.
std::vector<std::int32_t> copy_windows(std::span<const std::int32_t> stream,
                                       std::span<const std::int64_t> starts, std::int64_t length);

// `count` uniform random starts of windows of `length` tokens.
std::vector<std::int64_t> random_starts(std::span<const std::int32_t> stream, std::int64_t count,
                                        std::int64_t length, Random& random);

// Non-overlapping windows of `context` predicted tokens: [windows, context + 1], row w starting at a multiple
// of `context`; of all that fit, `count` evenly spaced ones, or all of them when there are fewer.
std::vector<std::int32_t> validation_windows(std::span<const std::int32_t> stream, std::int64_t count,
                                             std::int64_t context);

// Training batches: windows at uniform random offsets, drawn from a stream of their own.
class BatchSampler {
 public:
  // `stream` outlives the sampler. Throws Error when it is shorter than context + 1 tokens.
  BatchSampler(std::span<const std::int32_t> stream, std::int64_t batch, std::int64_t context,
               std::uint64_t seed);

  // The next batch: [batch, context + 1]; inputs are columns 0..context-1, targets 1..context.
  std::vector<std::int32_t> next();

  // For checkpoints: next() after restore(state()) continues with the same batches.
  std::string state() const { return random_.state(); }
  void restore(std::string_view text) { random_.restore(text); }

 private:
  std::span<const std::int32_t> stream_;
  std::int64_t batch_, context_;
  Random random_;
};

}  // namespace sparsescope::data
