// The same sums and figures on the host, one row and one id after the other.
#include <cmath>

#include "kernels/spark_statistics/figures.h"

namespace sparsescope::kernels {
namespace {

StatisticsSums sums_of(const SparkStatisticsInput& input, const SparkStatisticsLayer& layer) {
  StatisticsSums sums;
  const std::int64_t rows = input.batch * input.tokens;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (int c = 0; c < kScopeCounts; ++c) sums.counts[c] += layer.row_counts[row * kScopeCounts + c];
    for (int c = 0; c < 2; ++c) sums.moments[c] += layer.row_moments[row * 2 + c];
    sums.gates += layer.row_gates[row];
  }
  for (std::int64_t i = 0; i < sample_size(rows); ++i) {
    const float* z = layer.declarations + sampled_row(rows, i) * input.rank;
    for (std::int64_t id = 0; id < input.vocabulary; ++id) {
      float score = 0;
      for (std::int64_t c = 0; c < input.rank; ++c)
        score = std::fma(input.addresses[id * input.rank + c] * input.score_scale, z[c], score);
      if (!(score > layer.theta[0])) continue;
      sums.declared += 1;
      sums.expected += input.offsets[id + 1] - input.offsets[id];
    }
  }
  return sums;
}

}  // namespace

void spark_statistics_reference(const SparkStatisticsInput& input, double* figures, double* penalties,
                                std::int32_t* non_finite) {
  const auto batch = static_cast<double>(input.batch), tokens = static_cast<double>(input.tokens);
  for (int layer = 0; layer < input.count; ++layer) {
    const SparkStatisticsLayer& from = input.layers[layer];
    const StatisticsSums sums = sums_of(input, from);
    write_figures(sums, from.theta[0], from.theta_gradient[0], batch, tokens,
                  figures + layer * kSparkFigures);
    penalties[layer] = sums.gates / past_pairs(batch, tokens);
    *non_finite +=
        static_cast<std::int32_t>(sums.counts[kCountNonFinite]) + (std::isnan(from.theta[0]) ? 1 : 0);
  }
}

}  // namespace sparsescope::kernels
