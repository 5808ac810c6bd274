// From sums to figures: one definition for kernel and reference.
#pragma once

#include <cmath>

#include "kernels/common/token_ids.h"
#include "kernels/spark_scope/spark_scope.h"
#include "kernels/spark_statistics/spark_statistics.h"

namespace sparsescope::kernels {

struct StatisticsSums {
  double counts[kScopeCounts] = {};
  double moments[2] = {};
  double gates = 0;
  double declared = 0, expected = 0;  // sum over ids of the sample's declarers; the same times the id's count
};
inline constexpr int kRowSums = kScopeCounts + 3;

SPARSESCOPE_HOST_DEVICE inline double* row_sum(StatisticsSums& sums, int i) {
  return i < kScopeCounts       ? &sums.counts[i]
         : i < kScopeCounts + 2 ? &sums.moments[i - kScopeCounts]
                                : &sums.gates;
}

// Rows whose declarations are counted.
SPARSESCOPE_HOST_DEVICE inline std::int64_t sample_size(std::int64_t rows) {
  return rows < kStatisticsSample ? rows : kStatisticsSample;
}
SPARSESCOPE_HOST_DEVICE inline std::int64_t sampled_row(std::int64_t rows, std::int64_t i) {
  return i * rows / sample_size(rows);
}

SPARSESCOPE_HOST_DEVICE inline double past_pairs(double batch, double tokens) {
  const double pairs = batch * tokens * (tokens - 1) / 2;
  return pairs > 1 ? pairs : 1;
}

SPARSESCOPE_HOST_DEVICE inline void write_figures(const StatisticsSums& sums, double theta, double gradient,
                                                  double batch, double tokens, double* figures) {
  const double rows = batch * tokens, pairs = past_pairs(batch, tokens);
  const double sample = rows < kStatisticsSample ? rows : kStatisticsSample;
  const double mean = sums.moments[0] / pairs, variance = sums.moments[1] / pairs - mean * mean;
  const double deviation = sqrt(variance > 0 ? variance : 0.0);
  figures[kFigureTheta] = theta;
  figures[kFigureScoreMean] = mean;
  figures[kFigureScoreStd] = deviation;
  figures[kFigureThetaSigmas] = (theta - mean) / deviation;
  figures[kFigureThetaGradient] = gradient;
  figures[kFigureDirect] = sums.counts[kCountDirect] / pairs;
  figures[kFigureInherited] = sums.counts[kCountInherited] / pairs;
  figures[kFigureFallback] = sums.counts[kCountFallback] / pairs;
  figures[kFigureScope] = figures[kFigureDirect] + figures[kFigureInherited] + figures[kFigureFallback];
  figures[kFigureSelf] = rows / pairs;
  figures[kFigureEmptyRows] = sums.counts[kCountEmpty] / rows;
  figures[kFigureExpected] = sums.expected / (sample * rows);
  figures[kFigureDeclaredMean] = sums.declared / sample;
  figures[kFigureNonFinite] = sums.counts[kCountNonFinite];
}

}  // namespace sparsescope::kernels
