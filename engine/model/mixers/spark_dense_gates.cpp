// Both in ATen operations, differentiated by autograd.
#include "engine/model/mixers/spark_dense_gates.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>

#include "engine/model/mixers/attention.h"
#include "engine/model/mixers/spark_gates.h"

namespace sparsescope::model {
namespace {

at::Tensor logits_of(const SparkAttentionInput& input, double scale) {
  const at::Tensor logits = at::matmul(input.queries * scale, input.keys.transpose(-2, -1));  // [B,H,T,T]
  return input.bias.defined() ? logits + input.bias : logits;
}

SparkAttention weighted(const at::Tensor& logits, const at::Tensor& weights, const at::Tensor& values) {
  return {at::matmul(weights, values), logits.detach(), weights.detach()};
}

}  // namespace

SparkAttention soft_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule) {
  const at::Tensor logits = logits_of(input, rule.scale);
  const at::Tensor gap = (input.scores - input.theta) / rule.tau;  // [B,T,T]
  const at::Tensor log_gate = log_soft_gate(gap, has_soft_gate(input.reasons));
  return weighted(logits, at::softmax(logits + log_gate.unsqueeze(1), -1), input.values);
}

SparkAttention post_gate_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule) {
  const at::Tensor logits = logits_of(input, rule.scale);
  const std::int64_t tokens = logits.size(-1);
  const at::Tensor dense = at::softmax(logits + window_mask(tokens, tokens, logits.options()), -1);
  const at::Tensor soft = at::sigmoid((input.scores - input.theta) / rule.tau).tril(-1);        // [B,T,T], s
  const at::Tensor gate = input.reasons.ne(0).to(soft.scalar_type()) + (soft - soft.detach());  // M in value
  return weighted(logits, dense * gate.unsqueeze(1), input.values);
}

}  // namespace sparsescope::model
