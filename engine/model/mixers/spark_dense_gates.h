// The two estimators of SPaRK whose forward pass is dense: `soft` and the diagnostic `post_gate`.
#pragma once

#include "engine/model/mixers/spark_attention.h"

namespace sparsescope::model {

// w_s = softmax over all p <= t of logits + ln g; exact gradients, nothing is sparse.
SparkAttention soft_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule);

// softmax over all p <= t, then cut by the scope and not made whole again: rows lose the mass of what is out
// of scope. Gate M + (s - sg[s]) on past pairs: dS = sum over heads of w dw s(1-s)/tau, in and out of scope.
SparkAttention post_gate_attention(const SparkAttentionInput& input, const SparkAttentionRule& rule);

}  // namespace sparsescope::model
