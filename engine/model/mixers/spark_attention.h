// Attention over SPaRK's scope and the estimators of its gradient, as one differentiable function.
// The decision itself (which pairs are in scope) is taken elsewhere and handed in.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/experiments/experiment.h"

namespace sparsescope::model {

struct SparkAttentionInput {
  at::Tensor queries, keys, values;  // [B,H,T,D]
  at::Tensor bias;                   // [H,T,T] added to the logits, or undefined; no gradient
  at::Tensor scores;                 // [B,T,T] S, shared by the heads
  at::Tensor theta;                  // []
  at::Tensor reasons;                // [B,T,T] u8, kernels::ScopeReason; every row holds its own token
};

struct SparkAttentionRule {
  experiments::Estimator estimator = experiments::Estimator::Surrogate;
  experiments::GatePairs gate_pairs = experiments::GatePairs::All;  // in_scope only
  double tau = 0.5;
  double scale = 1;  // of q.k
};

struct SparkAttention {
  at::Tensor output;   // [B,H,T,D]
  at::Tensor logits;   // [B,H,T,T] q.k * scale + bias, unmasked, detached
  at::Tensor weights;  // [B,H,T,T] what values are summed with, detached: exactly 0 out of scope but for soft
};

// Forward of surrogate, in_scope and surrogate_split: w_h = softmax over the scope. Backward, with upstream
// G, dw = G.v, s = sigma((S - theta)/tau) and e(w) = w (dw - sum w dw):
//   surrogate: as if the weights were w_s = softmax_{p<=t}(logits + ln g), g = s on past pairs that are
//   direct or out of
//     scope, 1 on self and on pairs that are only inherited or fallback: dlogits = e(w_s), dS =
//     e(w_s)(1-s)/tau where g = s;
//   in_scope: dlogits = e(w_h), dS = e(w_h) s (1-s)/tau on the pairs that carry the gate (all in scope, or
//   the direct ones);
//   surrogate_split: dlogits of in_scope, dS of surrogate.
// dS sums over heads, dtheta = -sum dS, and dv always uses w_h. soft and post_gate: spark_dense_gates.h.
SparkAttention spark_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule);

}  // namespace sparsescope::model
