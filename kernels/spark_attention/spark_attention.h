// Attention over SPaRK's scope and the gradients of its two estimators, heads sharing scores and scope. The
// decision is kernels/spark_scores; mathematics in engine/model/mixers/spark_attention.h.
//
// With logits l = scale q.k - slope (t - p), s = sigma((S - theta)/tau), M = scope, Hd = direct:
//   w_h = softmax over M of l                                     the forward pass
//   w_s = softmax over p <= t of l + ln g, g = 1 on self and on M \ Hd, s on every other causal pair
//   surrogate: dl = e(w_s), dS = sum over heads of e(w_s) (1-s)/tau where g = s
//   in_scope:  dl = e(w_h), dS = sum over heads of e(w_h) s (1-s)/tau on gated pairs in scope
//   e(w) = w (dw - sum w dw), dw = d_output . v; dv always from w_h
// and, on every past pair, dS += weight s (1-s)/tau / (pairs L): the sparsity penalty.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"
#include "kernels/common/token_ids.h"
#include "kernels/spark_scores/spark_scores.h"

namespace sparsescope::kernels {

enum class SparkEstimator { Surrogate, InScope };
enum class SparkGatePairs {
  All,
  Direct
};  // in_scope: every pair in scope carries the gate (self too), or Hd

struct SparkAttentionShape {
  std::int64_t batch = 0;       // B
  std::int64_t tokens = 0;      // T
  std::int64_t heads = 0;       // H
  std::int64_t head_width = 0;  // D: 32 or 64
};

struct SparkAttentionRule {
  SparkEstimator estimator = SparkEstimator::Surrogate;
  SparkGatePairs gate_pairs = SparkGatePairs::All;  // in_scope only
  float scale = 1;                                  // of q.k
};

struct SparkAttentionInput {
  const Bfloat16* qkv = nullptr;          // [B,T,3,H,D], q and k already rotated when positions are rotary
  const float* slopes = nullptr;          // [H] ALiBi, or null
  const std::uint32_t* direct = nullptr;  // [B,T,scope_words(T)] of spark_scores
  const std::uint32_t* scope = nullptr;   // [B,T,scope_words(T)], every row holds its own token
  const Bfloat16* log_gates = nullptr;    // plane of spark_scores; in_scope's forward pass needs none
};

// The forward pass writes all four (in_scope: the first two), the backward pass reads them.
struct SparkAttentionSaved {
  Bfloat16* output = nullptr;       // [B,T,H,D] sum of w_h v
  float* lse_hard = nullptr;        // [B,H,T] ln of w_h's denominator
  Bfloat16* soft_output = nullptr;  // [B,T,H,D] sum of w_s v; surrogate
  float* lse_soft = nullptr;        // [B,H,T]; surrogate
};

// One launch. Tiles without a pair in scope are skipped where the estimator allows. No atomics: the same bits
// on every run. All pointers 16-byte aligned, on the device of `stream`. Throws std::runtime_error when D is
// neither 32 nor 64 or a launch fails.
void spark_attention(const SparkAttentionInput& input, SparkAttentionShape shape, SparkAttentionRule rule,
                     const SparkAttentionSaved& saved, Stream stream);

// What the gradient of the scores needs besides attention's own arrays.
struct SparkScoreGradientInput {
  SparkScoresInput scores;        // as given to spark_scores
  std::int64_t rank = 0;          // r
  float kappa = 1, tau = 0.5f;    // as given to spark_scores
  const float* weight = nullptr;  // [1] sparsity weight, read on the device; or null for none
  std::int64_t layers = 1;        // L: the penalty is a mean over pairs and layers
};

struct SparkAttentionGradients {
  Bfloat16* d_qkv = nullptr;                // [B,T,3,H,D] written; of the rotated q and k
  float* d_address_rows = nullptr;          // [B,T,r] written: gradient of U[ids[b,t]]
  float* d_declarations = nullptr;          // [B,T,r] dz, written; or null
  Bfloat16* d_declarations_bf16 = nullptr;  // [B,T,r] the same in bf16; or null
  float* d_theta = nullptr;                 // [1] += -sum dS
  double* score_gradient_mass = nullptr;    // [2] written: sum of |dS| of the estimator (penalty apart)
                                            // over all past and self pairs, and out of scope; or null
};

// Bytes of scratch, shared by all layers: a bf16 plane of pairs, addresses and declarations in bf16, a value
// a query and head.
std::int64_t spark_attention_backward_scratch(SparkAttentionShape shape, std::int64_t rank);

// Four launches. d_output [B,T,H,D] bf16.
void spark_attention_backward(const SparkAttentionInput& input, SparkAttentionShape shape,
                              SparkAttentionRule rule, const SparkAttentionSaved& saved,
                              const Bfloat16* d_output, const SparkScoreGradientInput& scores,
                              const SparkAttentionGradients& gradients, void* scratch, Stream stream);

// The same mathematics on the host in fp64, from values of any precision. One sequence, one call.
struct SparkAttentionCase {
  std::int64_t tokens = 0, heads = 0, head_width = 0, rank = 0;
  const double* queries = nullptr;        // [H,T,D]
  const double* keys = nullptr;           // [H,T,D]
  const double* values = nullptr;         // [H,T,D]
  const double* slopes = nullptr;         // [H] or null
  const double* addresses = nullptr;      // [T,r] u = U[ids]
  const double* declarations = nullptr;   // [T,r] z
  const std::uint8_t* reasons = nullptr;  // [T,T] ScopeReason
  const double* d_output = nullptr;       // [H,T,D]
  const double* saved_output = nullptr;   // [H,T,D] what sum w dw is taken from, d_output . saved_output, as
                                          // the kernels do from rounded outputs; or null: the exact output
  double theta = 0, tau = 0.5, kappa = 1, scale = 1;
  double penalty = 0;  // weight / (pairs L)
  SparkEstimator estimator = SparkEstimator::Surrogate;
  SparkGatePairs gate_pairs = SparkGatePairs::All;
};

// All written in full; doubles.
struct SparkAttentionCaseResult {
  double *output, *soft_output;           // [H,T,D]
  double *lse_hard, *lse_soft;            // [H,T]
  double *hard_weights, *soft_weights;    // [H,T,T]
  double *d_queries, *d_keys, *d_values;  // [H,T,D]
  double* d_scores;                       // [T,T] dS, penalty included
  double *d_addresses, *d_declarations;   // [T,r]
  double* d_theta;                        // [1]
  double* mass;                           // [2] as score_gradient_mass
};

void spark_attention_reference(const SparkAttentionCase& input, const SparkAttentionCaseResult& result);

}  // namespace sparsescope::kernels
