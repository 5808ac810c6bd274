// Input of attention tests: values before rounding, slopes and tables, and what comes out on the host.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"

namespace sparsescope::kernels {

enum class Positions { None, Alibi, Interleaved, HalfSplit, AlibiAndInterleaved };

struct AttentionCase {
  AttentionShape shape;
  std::int64_t window;
  Positions positions;
  std::vector<double> qkv, d_output;          // [B,T,3,H,D], [B,T,H,D]
  std::vector<float> slopes, cosines, sines;  // empty where unused

  AttentionCase(AttentionShape shape, std::int64_t window, Positions positions, std::uint32_t seed)
      : shape(shape), window(window), positions(positions) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    const std::int64_t count = shape.batch * shape.tokens * shape.heads * shape.head_width;
    qkv.resize(3 * count);
    d_output.resize(count);
    for (double& value : qkv) value = normal(generator);
    for (double& value : d_output) value = normal(generator);
    if (positions == Positions::Alibi || positions == Positions::AlibiAndInterleaved) {
      // The geometric convention for any number of heads.
      for (std::int64_t head = 1; head <= shape.heads; ++head)
        slopes.push_back(float(std::exp2(-8.0 * double(head) / double(shape.heads))));
    }
    if (positions == Positions::None || positions == Positions::Alibi) return;
    for (std::int64_t t = 0; t < shape.tokens; ++t) {
      for (std::int64_t i = 0; i < shape.head_width / 2; ++i) {
        const double angle = double(t) * std::pow(10000.0, -2.0 * double(i) / double(shape.head_width));
        cosines.push_back(float(std::cos(angle)));
        sines.push_back(float(std::sin(angle)));
      }
    }
  }

  // With the given arrays, on whichever side they are.
  AttentionRule rule(const float* slopes_at, const float* cosines_at, const float* sines_at) const {
    AttentionRule rule;
    rule.scale = float(1 / std::sqrt(double(shape.head_width)));
    rule.window = window;
    if (!slopes.empty()) rule.slopes = slopes_at;
    if (!cosines.empty())
      rule.rotary = {cosines_at, sines_at,
                     positions == Positions::HalfSplit ? RotaryLayout::HalfSplit : RotaryLayout::Interleaved};
    return rule;
  }
  AttentionRule host_rule() const { return rule(slopes.data(), cosines.data(), sines.data()); }

  std::string name() const {
    static constexpr const char* kNames[] = {"no positions", "ALiBi", "interleaved", "half-split",
                                             "ALiBi and interleaved"};
    return "B " + std::to_string(shape.batch) + ", H " + std::to_string(shape.heads) + ", T " +
           std::to_string(shape.tokens) + ", D " + std::to_string(shape.head_width) + ", W " +
           std::to_string(window) + ", " + kNames[int(positions)];
  }
};

struct AttentionResult {
  std::vector<double> output, lse, d_qkv;
};

inline AttentionResult reference_of(const AttentionCase& made) {
  AttentionResult result{std::vector<double>(made.d_output.size()),
                         std::vector<double>(made.shape.batch * made.shape.heads * made.shape.tokens),
                         std::vector<double>(made.qkv.size())};
  attention_reference(
      {made.qkv.data(), result.output.data(), result.lse.data(), made.d_output.data(), result.d_qkv.data()},
      made.shape, made.host_rule());
  return result;
}

inline std::vector<Bfloat16> rounded_doubles(const std::vector<double>& values) {
  std::vector<Bfloat16> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = bfloat16_from_float(float(values[i]));
  return result;
}
inline std::vector<double> doubles_of(const std::vector<Bfloat16>& values) {
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = float_from_bfloat16(values[i]);
  return result;
}

// The case with q, k, v and d_output rounded to bf16.
inline AttentionCase rounded_inputs(AttentionCase made) {
  made.qkv = doubles_of(rounded_doubles(made.qkv));
  made.d_output = doubles_of(rounded_doubles(made.d_output));
  return made;
}

// |got - reference| / |reference|, both L2; |got - reference| where the reference is zero.
inline double distance(const std::vector<double>& got, const std::vector<double>& reference) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - reference[i]) * (got[i] - reference[i]);
    size += reference[i] * reference[i];
  }
  return std::sqrt(difference) / (size > 0 ? std::sqrt(size) : 1.0);
}

// Largest |got - reference| in units of the reference's root mean square; NaN is infinite.
inline double worst(const std::vector<double>& got, const std::vector<double>& reference) {
  double size = 0, largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    size += reference[i] * reference[i];
    const double difference = std::abs(got[i] - reference[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return size > 0 ? largest / std::sqrt(size / double(got.size())) : largest;
}

}  // namespace sparsescope::kernels
