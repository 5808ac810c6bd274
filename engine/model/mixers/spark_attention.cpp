// Forward and hand-written backward of SPaRK's attention in ATen operations.
#include "engine/model/mixers/spark_attention.h"

#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "engine/model/mixers/attention.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::model {
namespace {

using experiments::Estimator;
using experiments::GatePairs;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// 0 where a reason code is set, -inf elsewhere: [B,1,T,T], to be added to logits.
at::Tensor scope_mask(const at::Tensor& reasons, const at::Tensor& like) {
  return at::zeros(reasons.sizes(), like.options()).masked_fill_(reasons.eq(0), -kInfinity).unsqueeze(1);
}

// Past pairs whose gate is s in `surrogate`: direct ones and those out of scope.
at::Tensor has_soft_gate(const at::Tensor& reasons) {
  const at::Tensor is_free =
      reasons.eq(0).logical_or_(reasons.bitwise_and(kernels::kDirect).ne(0));  // [B,T,T]
  return is_free.tril(-1);
}

// Pairs that carry the gate in `in_scope`.
at::Tensor has_scope_gate(const at::Tensor& reasons, GatePairs pairs) {
  return pairs == GatePairs::All ? reasons.ne(0) : reasons.bitwise_and(kernels::kDirect).ne(0);
}

struct GateGradients {
  at::Tensor logits;  // [B,H,T,T]
  at::Tensor scores;  // [B,T,T]
};

GateGradients surrogate_gradients(const at::Tensor& dw, const at::Tensor& logits, const at::Tensor& gap,
                                  const at::Tensor& reasons, double tau) {
  const at::Tensor is_soft = has_soft_gate(reasons);
  at::Tensor log_gate = at::log_sigmoid(gap).masked_fill_(is_soft.logical_not(), 0);  // [B,T,T], ln g
  log_gate.add_(window_mask(gap.size(-1), gap.size(-1), gap.options()));
  const at::Tensor soft_weights = at::softmax(logits + log_gate.unsqueeze(1), -1);          // w_s
  at::Tensor dlogits = at::_softmax_backward_data(dw, soft_weights, -1, dw.scalar_type());  // e(w_s)
  const at::Tensor slope = at::sigmoid(-gap).div_(tau).mul_(is_soft);                       // (1-s)/tau
  return {dlogits, dlogits.sum(1).mul_(slope)};
}

GateGradients in_scope_gradients(const at::Tensor& dw, const at::Tensor& weights, const at::Tensor& gap,
                                 const at::Tensor& reasons, GatePairs pairs, double tau) {
  at::Tensor dlogits = at::_softmax_backward_data(dw, weights, -1, dw.scalar_type());  // e(w_h)
  const at::Tensor gate = at::sigmoid(gap);
  const at::Tensor slope = (gate * (1 - gate)).div_(tau).mul_(has_scope_gate(reasons, pairs));  // s(1-s)/tau
  return {dlogits, dlogits.sum(1).mul_(slope)};
}

struct SparkAttentionFunction : torch::autograd::Function<SparkAttentionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, const at::Tensor& scores, const at::Tensor& theta,
                            const SparkAttentionInput* input, const SparkAttentionRule* rule,
                            SparkAttention* taps) {
    taps->logits = at::matmul(queries * rule->scale, keys.transpose(-2, -1));
    if (input->bias.defined()) taps->logits.add_(input->bias);
    taps->weights = at::softmax(taps->logits + scope_mask(input->reasons, taps->logits), -1);
    const at::Tensor needed = rule->estimator == Estimator::Surrogate ? taps->logits : at::Tensor();
    context->save_for_backward({queries, keys, values, scores, theta, input->reasons, taps->weights, needed});
    context->saved_data["is_surrogate"] = rule->estimator == Estimator::Surrogate;
    context->saved_data["gates_all"] = rule->gate_pairs == GatePairs::All;
    context->saved_data["tau"] = rule->tau;
    context->saved_data["scale"] = rule->scale;
    return at::matmul(taps->weights, values);
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &scores = saved[3],
                     &theta = saved[4], &reasons = saved[5], &weights = saved[6], &logits = saved[7];
    const double tau = context->saved_data["tau"].toDouble(), scale = context->saved_data["scale"].toDouble();
    const at::Tensor dw = at::matmul(upstream[0], values.transpose(-2, -1));  // [B,H,T,T]
    const at::Tensor gap = (scores - theta).div_(tau);                        // [B,T,T]
    const GatePairs pairs = context->saved_data["gates_all"].toBool() ? GatePairs::All : GatePairs::Direct;
    const GateGradients gradients = context->saved_data["is_surrogate"].toBool()
                                        ? surrogate_gradients(dw, logits, gap, reasons, tau)
                                        : in_scope_gradients(dw, weights, gap, reasons, pairs, tau);
    return {at::matmul(gradients.logits, keys).mul_(scale),
            at::matmul(gradients.logits.transpose(-2, -1), queries).mul_(scale),
            at::matmul(weights.transpose(-2, -1), upstream[0]),
            gradients.scores,
            gradients.scores.sum().neg().view(theta.sizes()),
            {},
            {},
            {}};
  }
};

}  // namespace

SparkAttention spark_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule) {
  SparkAttention result;
  result.output = SparkAttentionFunction::apply(input.queries, input.keys, input.values, input.scores,
                                                input.theta, &input, &rule, &result);
  return result;
}

}  // namespace sparsescope::model
