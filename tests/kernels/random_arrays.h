// Fresh random input of kernel tests, the two float types, and the distance of two arrays.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "kernels/common/bfloat16.h"

namespace sparsescope::kernels {

inline std::vector<float> normal_floats(std::size_t count, std::uint32_t seed, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

inline std::vector<Bfloat16> rounded(std::span<const float> values) {
  std::vector<Bfloat16> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = bfloat16_from_float(values[i]);
  return result;
}

inline std::vector<float> widened(std::span<const Bfloat16> values) {
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = float_from_bfloat16(values[i]);
  return result;
}

// |got - reference| / |reference|, both L2; |got| where the reference is zero.
inline double relative_error(std::span<const float> got, std::span<const float> reference) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += (double(got[i]) - reference[i]) * (double(got[i]) - reference[i]);
    size += double(reference[i]) * reference[i];
  }
  return std::sqrt(difference) / (size > 0 ? std::sqrt(size) : 1.0);
}

// Ids as texts have them: id v with probability proportional to 1 / (v + 1), shuffled over the vocabulary by
// a step that shares no factor with it.
inline std::vector<std::int64_t> zipfian_ids(std::size_t count, std::int64_t vocabulary, std::uint32_t seed) {
  std::vector<double> weights(vocabulary);
  for (std::int64_t v = 0; v < vocabulary; ++v) weights[v] = 1.0 / double(v + 1);
  std::mt19937 generator(seed);
  std::discrete_distribution<std::int64_t> rank(weights.begin(), weights.end());
  std::vector<std::int64_t> ids(count);
  for (std::int64_t& id : ids) id = rank(generator) * 7919 % vocabulary;
  return ids;
}

}  // namespace sparsescope::kernels
