// SPaRK's scores and decision without a T x T matrix of scores: from declarations and addresses to bitsets of
// direct and scope pairs, counts, sums, and the soft gates that attention's backward pass reads. What the
// decision means is kernels/spark_scope; attention is kernels/spark_attention.
//
// The decision is taken once, here, from S[t,p] = (kappa / sqrt(r) * u[t]) . z[p] in fp32: the address is
// scaled first, then r fused multiply-adds run in ascending order, no tensor cores. Everybody else reads the
// bits. Soft gates are differentiable weights, not decisions: they are kept as bf16 ln sigma((S -
// theta)/tau).
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"
#include "kernels/common/token_ids.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::kernels {

// A lower triangle of pairs in tiles of 64 queries x 64 keys, tile (i, j <= i) of a sequence at
// i (i + 1) / 2 + j, kPairTileValues bf16 values each. Inside a tile values lie in the order in which tensor
// cores want them (pair_plane.h); read them through it.
inline constexpr std::int64_t kPairTile = 64;
inline constexpr std::int64_t kPairTileValues = kPairTile * kPairTile;
inline std::int64_t pair_tiles(std::int64_t tokens) {
  const std::int64_t rows = (tokens + kPairTile - 1) / kPairTile;
  return rows * (rows + 1) / 2;
}
// bf16 values of a plane of pairs: about B T (T + 64) / 2.
inline std::int64_t pair_plane_values(std::int64_t batch, std::int64_t tokens) {
  return batch * pair_tiles(tokens) * kPairTileValues;
}

struct SparkScoresShape {
  std::int64_t batch = 0;   // B
  std::int64_t tokens = 0;  // T
  std::int64_t rank = 0;    // r >= 1
};

// Factor of u.z.
inline float spark_score_scale(float kappa, std::int64_t rank) {
  return kappa / std::sqrt(static_cast<float>(rank));
}

struct SparkScoresRule {
  ScopeRule scope;
  float kappa = 1;
  float tau = 0.5f;  // width of the soft gate, > 0
};

// Exactly one of the two declarations is set. Both are decided from as they are: z in bf16 is exact in fp32.
struct SparkScoresInput {
  const float* declarations = nullptr;          // [B,T,r] z, or
  const Bfloat16* declarations_bf16 = nullptr;  // [B,T,r] the same in bf16
  const float* addresses = nullptr;             // [V,r] U; every id is in 0 .. V-1
  TokenIds ids;                                 // rows B, length T: the inputs, never the targets
  const float* theta = nullptr;                 // [1]
};

// All that is not null is written in full; bits of keys p >= T are 0.
struct SparkScoresOutput {
  std::uint32_t* direct = nullptr;     // [B,T,scope_words(T)] p < t and S > theta (strict; NaN is not)
  std::uint32_t* scope = nullptr;      // [B,T,scope_words(T)] direct | inherited | fallback | self
  std::int32_t* row_counts = nullptr;  // [B,T,kScopeCounts]
  double* row_moments = nullptr;       // [B,T,2] sum of S and of S^2 over p < t
  double* row_gates = nullptr;         // [B,T] sum of sigma((S - theta)/tau) over p < t
  Bfloat16* log_gates = nullptr;       // pair_plane_values(B,T): ln sigma((S - theta)/tau), p <= t; or null
  float* scores = nullptr;             // [B,T,T] every S, p > t too: for probes and tests; usually null
};

// Bytes of scratch.
std::int64_t spark_scores_scratch(SparkScoresShape shape);

// Two launches, no atomics, sums in a fixed order: the same bits on every run. All pointers on the device of
// `stream`. Throws std::runtime_error when the shape is out of range or a launch fails.
void spark_scores(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                  const SparkScoresOutput& output, void* scratch, Stream stream);

// The log gates alone, the same bits as spark_scores writes: for a caller who shares one plane between layers
// and makes it again before each backward pass.
void spark_log_gates(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                     Bfloat16* log_gates, Stream stream);

// Reason codes (kernels::ScopeReason) of every pair from the two bitsets, for probes: reasons [B,T,T] u8. A
// pair that is direct and inherited too reads kDirect alone: the bitsets do not know.
void spark_reasons(const std::uint32_t* direct, const std::uint32_t* scope, SparkScoresShape shape,
                   std::uint8_t* reasons, Stream stream);

// The scores [B,T,T] on the host, with std::fma in the kernel's order: the same bits.
void spark_scores_reference(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                            float* scores);
// Bitsets, counts and sums on the host from given scores [B,T,T]: output.direct, scope, row_counts,
// row_moments and row_gates, all wanted.
void spark_decision_reference(const float* scores, float theta, SparkScoresShape shape, SparkScoresRule rule,
                              const SparkScoresOutput& output);

}  // namespace sparsescope::kernels
