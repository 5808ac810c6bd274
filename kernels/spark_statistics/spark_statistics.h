// What a SPaRK model records of a training step, for all its layers in three launches: sums over rows,
// declarations counted over a sample of tokens, and the figures made of them. What the rows hold is
// kernels/spark_scores; what the figures mean is engine/model/spark_statistics.h.
#pragma once

#include <cstdint>

#include "kernels/common/stream.h"

namespace sparsescope::kernels {

// Columns of the figures of a layer, fp64.
enum SparkFigure : int {
  kFigureTheta,
  kFigureScoreMean,
  kFigureScoreStd,
  kFigureThetaSigmas,
  kFigureThetaGradient,
  kFigureDirect,
  kFigureInherited,
  kFigureFallback,
  kFigureScope,
  kFigureSelf,
  kFigureEmptyRows,
  kFigureExpected,
  kFigureDeclaredMean,
  kFigureNonFinite,
  kSparkFigures
};

inline constexpr int kStatisticsLayers = 64;     // most layers
inline constexpr int kStatisticsSample = 256;    // declarers, spread evenly over the batch
inline constexpr int kStatisticsRowBlocks = 16;  // a layer
inline constexpr int kStatisticsIds = 64;        // vocabulary ids a block

struct SparkStatisticsLayer {
  const std::int32_t* row_counts = nullptr;  // [N,kScopeCounts]
  const double* row_moments = nullptr;       // [N,2]
  const double* row_gates = nullptr;         // [N]
  const float* declarations = nullptr;       // [N,r]
  const float* theta = nullptr;              // [1], as the forward pass used it
  const float* theta_gradient = nullptr;     // [1]
};

struct SparkStatisticsInput {
  SparkStatisticsLayer layers[kStatisticsLayers];
  int count = 0;                          // layers
  std::int64_t batch = 0, tokens = 0;     // B, T; N = B T
  std::int64_t rank = 0, vocabulary = 0;  // r, V
  const float* addresses = nullptr;       // [V,r]
  const std::int32_t* offsets = nullptr;  // [V+1]: id v occurs offsets[v+1] - offsets[v] times in the batch
  float score_scale = 1;                  // kappa / sqrt(r)
};

// Doubles of scratch.
std::int64_t spark_statistics_scratch(std::int64_t layers, std::int64_t vocabulary);

// figures [L,kSparkFigures] f64, penalties [L] f64 = mean of the soft gate over past pairs, non_finite [1]
// i32
// += scores that are not finite and thresholds that are NaN. Sums in a fixed order, no atomics but for that
// one integer.
void spark_statistics(const SparkStatisticsInput& input, double* figures, double* penalties,
                      std::int32_t* non_finite, double* scratch, Stream stream);

// The same on the host.
void spark_statistics_reference(const SparkStatisticsInput& input, double* figures, double* penalties,
                                std::int32_t* non_finite);

}  // namespace sparsescope::kernels
