// SPaRK's attention written from its definitions in plain differentiable formulas: what the estimators
// pretend to differentiate.
#pragma once

#include <ATen/ATen.h>

#include <cmath>

#include "engine/model/mixers/spark_attention.h"
#include "kernels/spark_scope/spark_scope_op.h"

namespace sparsescope::model {

inline at::Tensor causal_minus_infinity(std::int64_t tokens) {
  return at::full({tokens, tokens}, -INFINITY, at::TensorOptions().dtype(at::kDouble)).triu(1);
}

inline at::Tensor logits_of(const SparkAttentionInput& in, double scale) {
  const at::Tensor logits = at::matmul(in.queries, in.keys.transpose(-2, -1)) * scale;
  return in.bias.defined() ? logits + in.bias : logits;
}

// 1 on self and on pairs of the scope that are not direct, sigma((S - theta)/tau) on every other causal pair:
// [B,1,T,T].
inline at::Tensor soft_gate(const SparkAttentionInput& in, double tau) {
  const at::Tensor is_open = in.reasons.ne(0).logical_and(in.reasons.bitwise_and(1).eq(0));
  return at::where(is_open, at::ones_like(in.scores), at::sigmoid((in.scores - in.theta) / tau)).unsqueeze(1);
}

// w_s: softmax over all p <= t of logits + ln g.
inline at::Tensor soft_weights(const SparkAttentionInput& in, double scale, double tau) {
  return at::softmax(
      logits_of(in, scale) + soft_gate(in, tau).log() + causal_minus_infinity(in.scores.size(-1)), -1);
}

// w_h: softmax over the scope.
inline at::Tensor hard_weights(const SparkAttentionInput& in, double scale) {
  return at::softmax(logits_of(in, scale).masked_fill(in.reasons.eq(0).unsqueeze(1), -INFINITY), -1);
}

// in_scope's relaxed weights: M exp(logits) (1 + s - s0) / sum, on the pairs that carry the gate; s0 is s
// held fixed.
inline at::Tensor relaxed_weights(const SparkAttentionInput& in, double scale, double tau,
                                  experiments::GatePairs pairs, const at::Tensor& fixed_gate) {
  const at::Tensor carries =
      pairs == experiments::GatePairs::All ? in.reasons.ne(0) : in.reasons.bitwise_and(1).ne(0);
  const at::Tensor gate = at::where(carries, 1 + at::sigmoid((in.scores - in.theta) / tau) - fixed_gate,
                                    at::ones_like(in.scores));
  const at::Tensor mass =
      logits_of(in, scale).exp().masked_fill(in.reasons.eq(0).unsqueeze(1), 0) * gate.unsqueeze(1);
  return mass / mass.sum(-1, true);
}

// The scope of the input's own scores.
inline at::Tensor decide(const at::Tensor& scores, const at::Tensor& theta, kernels::ScopeRule rule) {
  return kernels::spark_scope(scores.detach().to(at::kFloat).contiguous(), theta.detach().to(at::kFloat),
                              rule)
      .reasons;
}

}  // namespace sparsescope::model
