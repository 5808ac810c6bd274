// Forward and hand-written backward of SPaRK's sparse forward in ATen operations.
#include "engine/model/mixers/spark_attention.h"

#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <torch/csrc/autograd/custom_function.h>

#include "engine/model/mixers/spark_dense_gates.h"
#include "engine/model/mixers/spark_gates.h"

namespace sparsescope::model {
namespace {

using experiments::Estimator;
using experiments::GatePairs;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct GateGradients {
  at::Tensor logits;  // [B,H,T,T]
  at::Tensor scores;  // [B,T,T]
};

GateGradients surrogate_gradients(const at::Tensor& dw, const at::Tensor& logits, const at::Tensor& gap,
                                  const at::Tensor& reasons, double tau) {
  const at::Tensor is_soft = has_soft_gate(reasons);
  const at::Tensor soft_weights = at::softmax(logits + log_soft_gate(gap, is_soft).unsqueeze(1), -1);  // w_s
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

// What one estimator saved, and its upstream.
struct Saved {
  at::Tensor dw, weights, logits, gap, reasons;
};

GateGradients gradients_of(Estimator estimator, const Saved& saved, GatePairs pairs, double tau) {
  if (estimator == Estimator::InScope)
    return in_scope_gradients(saved.dw, saved.weights, saved.gap, saved.reasons, pairs, tau);
  GateGradients made = surrogate_gradients(saved.dw, saved.logits, saved.gap, saved.reasons, tau);
  if (estimator == Estimator::SurrogateSplit)
    made.logits = at::_softmax_backward_data(saved.dw, saved.weights, -1, saved.dw.scalar_type());  // e(w_h)
  return made;
}

struct SparkAttentionFunction : torch::autograd::Function<SparkAttentionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, const at::Tensor& scores, const at::Tensor& theta,
                            const SparkAttentionInput* input, const SparkAttentionRule* rule,
                            SparkAttention* taps) {
    taps->logits = at::matmul(queries * rule->scale, keys.transpose(-2, -1));
    if (input->bias.defined()) taps->logits.add_(input->bias);
    taps->weights = at::softmax(taps->logits + scope_mask(input->reasons, taps->logits), -1);
    const at::Tensor needed = rule->estimator == Estimator::InScope ? at::Tensor() : taps->logits;
    context->save_for_backward({queries, keys, values, scores, theta, input->reasons, taps->weights, needed});
    context->saved_data["estimator"] = static_cast<std::int64_t>(rule->estimator);
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
    const auto estimator = static_cast<Estimator>(context->saved_data["estimator"].toInt());
    const GateGradients gradients = gradients_of(estimator, {dw, weights, logits, gap, reasons}, pairs, tau);
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
  if (rule.estimator == Estimator::Soft) return soft_attention(input, rule);
  if (rule.estimator == Estimator::PostGate) return post_gate_attention(input, rule);
  SparkAttention result;
  result.output = SparkAttentionFunction::apply(input.queries, input.keys, input.values, input.scores,
                                                input.theta, &input, &rule, &result);
  return result;
}

}  // namespace sparsescope::model
