// The parts of spark_attention_backward and what they hand on, for the files that make them. Not for callers.
#pragma once

#include "kernels/spark_attention/spark_arguments.cuh"

namespace sparsescope::kernels {

// Two launches: d_qkv in full, and delta.
void spark_qkv_gradients(const SparkArguments& arguments, int head_width, SparkEstimator estimator,
                         Stream stream);

// What one tile of pairs adds to theta's gradient and to the record.
struct ScorePartial {
  double sum, mass, mass_outside;
};

// Columns of a row of addresses or declarations in bf16: the rank, rounded up to whole tiles.
inline int score_columns(std::int64_t rank) { return rank <= 32 ? 32 : int(divide_up(rank, 64) * 64); }

struct ScoreArguments {
  SparkArguments attention;
  const float* weight;  // [1] or null
  float inverse_tau, inverse_pairs;
  bool gates_all;  // in_scope
  SparkScoresInput scores;
  int rank, columns;
  // Written by the score pass, read by the contraction.
  Bfloat16* d_scores;           // plane of pairs
  ScorePartial* partials;       // [B, tiles]
  Bfloat16* rounded_addresses;  // [B,T,columns] U[ids]
  Bfloat16* rounded_declarations;
};

// One launch: dS, partial sums, and both factors of the contraction rounded to bf16.
void spark_score_gradients(const ScoreArguments& arguments, int head_width, SparkEstimator estimator,
                           Stream stream);
// One launch: d_address_rows, d_declarations, d_theta and mass.
void spark_contraction(const ScoreArguments& arguments, float score_scale,
                       const SparkAttentionGradients& gradients, Stream stream);

}  // namespace sparsescope::kernels
