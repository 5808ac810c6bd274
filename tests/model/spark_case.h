// A random SPaRK attention in fp64 and central differences of what an estimator pretends to differentiate.
#pragma once

#include <functional>

#include "tests/model/model_support.h"
#include "tests/model/spark_oracle.h"

namespace sparsescope::model {

inline constexpr double kScale = 0.6, kTau = 0.5, kDifferenceStep = 1e-5;

struct Case {
  SparkAttentionInput in;
  at::Tensor upstream;  // [B,H,T,D]
};

inline Case make_case(bool inheritance, bool with_bias, std::uint64_t seed) {
  const std::int64_t batch = 2, heads = 3, tokens = 9, width = 4;
  const auto leaf = [&](const char* name, at::IntArrayRef shape) {
    return draw_normal(seed, name, shape, 1).set_requires_grad(true);
  };
  Case made;
  made.in.queries = leaf("q", {batch, heads, tokens, width});
  made.in.keys = leaf("k", {batch, heads, tokens, width});
  made.in.values = leaf("v", {batch, heads, tokens, width});
  made.in.scores = leaf("s", {batch, tokens, tokens});
  made.in.theta = at::scalar_tensor(0.7, at::TensorOptions().dtype(at::kDouble)).set_requires_grad(true);
  if (with_bias) made.in.bias = draw_normal(seed, "bias", {heads, tokens, tokens}, 1);
  made.in.reasons = decide(made.in.scores, made.in.theta, {inheritance, true, 3});
  made.upstream = draw_normal(seed, "upstream", {batch, heads, tokens, width}, 1);
  return made;
}

// Central differences of `objective` in every element of `at_tensor`, which it reads.
inline at::Tensor differences(const std::function<double()>& objective, at::Tensor at_tensor) {
  const c10::NoGradGuard no_graph;
  at::Tensor slope = at::zeros_like(at_tensor);
  double* values = at_tensor.data_ptr<double>();
  for (std::int64_t i = 0; i < at_tensor.numel(); ++i) {
    const double kept = values[i];
    values[i] = kept + kDifferenceStep;
    const double up = objective();
    values[i] = kept - kDifferenceStep;
    const double down = objective();
    values[i] = kept;
    slope.data_ptr<double>()[i] = (up - down) / (2 * kDifferenceStep);
  }
  return slope;
}

inline double weighted_sum(const Case& made, const at::Tensor& weights) {
  return (at::matmul(weights, made.in.values) * made.upstream).sum().item<double>();
}

inline void run_backward(const Case& made, const SparkAttentionRule& rule) {
  (spark_attention(made.in, rule).output * made.upstream).sum().backward();
}

}  // namespace sparsescope::model
