// Partial sums of rows and of declarations, then the figures.
#include "kernels/common/launch.h"
#include "kernels/common/reduce.h"
#include "kernels/spark_statistics/figures.h"

namespace sparsescope::kernels {
namespace {

constexpr int kRowThreads = 256;
constexpr int kIdThreads = 256;
constexpr int kRankTile = 32;

// scratch: row partials [L, kStatisticsRowBlocks, kRowSums], then id partials [L, blocks, 2].
std::int64_t id_blocks(std::int64_t vocabulary) { return divide_up(vocabulary, kStatisticsIds); }

// Block sums of kRowSums columns over a slice of rows; a column after the other through shared memory.
__global__ void sum_rows_kernel(SparkStatisticsInput input, double* partials) {
  __shared__ double warps[kRowThreads / kWarpSize];
  const int layer_index = blockIdx.x / kStatisticsRowBlocks, slice = blockIdx.x % kStatisticsRowBlocks;
  const SparkStatisticsLayer& layer = input.layers[layer_index];
  const std::int64_t rows = input.batch * input.tokens,
                     per_slice = (rows + kStatisticsRowBlocks - 1) / kStatisticsRowBlocks;
  const std::int64_t first = slice * per_slice, last = min(rows, first + per_slice);
  double sums[kRowSums] = {};
  for (std::int64_t row = first + threadIdx.x; row < last; row += kRowThreads) {
    for (int c = 0; c < kScopeCounts; ++c) sums[c] += layer.row_counts[row * kScopeCounts + c];
    sums[kScopeCounts] += layer.row_moments[row * 2];
    sums[kScopeCounts + 1] += layer.row_moments[row * 2 + 1];
    sums[kScopeCounts + 2] += layer.row_gates[row];
  }
#pragma unroll
  for (int c = 0; c < kRowSums; ++c) {
    const double warp = warp_sum(sums[c]);
    if (threadIdx.x % kWarpSize == 0) warps[threadIdx.x / kWarpSize] = warp;
    __syncthreads();
    if (threadIdx.x == 0) {
      double sum = 0;
      for (double value : warps) sum += value;
      partials[blockIdx.x * kRowSums + c] = sum;
    }
    __syncthreads();
  }
}

// Which of kStatisticsIds ids each sampled row declares: a row a thread, addresses in shared memory.
__global__ void count_declared_kernel(SparkStatisticsInput input, std::int64_t blocks, double* partials) {
  __shared__ float addresses[kStatisticsIds][kRankTile];
  __shared__ double warps[2][kIdThreads / kWarpSize];
  const int layer_index = int(blockIdx.x / blocks);
  const std::int64_t first_id = blockIdx.x % blocks * kStatisticsIds;
  const SparkStatisticsLayer& layer = input.layers[layer_index];
  const std::int64_t rows = input.batch * input.tokens, rank = input.rank;
  const bool is_sampled = threadIdx.x < sample_size(rows);
  const float* declaration = layer.declarations + (is_sampled ? sampled_row(rows, threadIdx.x) * rank : 0);
  float scores[kStatisticsIds] = {};
  for (std::int64_t from = 0; from < rank; from += kRankTile) {
    __syncthreads();
    for (int i = threadIdx.x; i < kStatisticsIds * kRankTile; i += kIdThreads) {
      const std::int64_t id = first_id + i / kRankTile, channel = from + i % kRankTile;
      const bool exists = id < input.vocabulary && channel < rank;
      addresses[i / kRankTile][i % kRankTile] =
          exists ? input.addresses[id * rank + channel] * input.score_scale : 0.0f;
    }
    __syncthreads();
    for (int c = 0; c < kRankTile; ++c) {
      const float z = is_sampled && from + c < rank ? declaration[from + c] : 0.0f;
#pragma unroll
      for (int i = 0; i < kStatisticsIds; ++i) scores[i] = fmaf(addresses[i][c], z, scores[i]);
    }
  }
  const float theta = layer.theta[0];
  double declared = 0, expected = 0;
#pragma unroll
  for (int i = 0; i < kStatisticsIds; ++i) {
    const std::int64_t id = first_id + i;
    if (id >= input.vocabulary || !is_sampled || !(scores[i] > theta)) continue;
    declared += 1;
    expected += input.offsets[id + 1] - input.offsets[id];
  }
  declared = warp_sum(declared);
  expected = warp_sum(expected);
  if (threadIdx.x % kWarpSize == 0) {
    warps[0][threadIdx.x / kWarpSize] = declared;
    warps[1][threadIdx.x / kWarpSize] = expected;
  }
  __syncthreads();
  if (threadIdx.x >= 2) return;
  double sum = 0;
  for (double value : warps[threadIdx.x]) sum += value;
  partials[blockIdx.x * 2 + threadIdx.x] = sum;
}

// One thread a layer: a few hundred additions in a fixed order.
__global__ void figures_kernel(SparkStatisticsInput input, std::int64_t blocks, const double* row_partials,
                               const double* id_partials, double* figures, double* penalties,
                               std::int32_t* non_finite) {
  const int layer = threadIdx.x;
  if (layer >= input.count) return;
  StatisticsSums sums;
  for (int slice = 0; slice < kStatisticsRowBlocks; ++slice) {
    for (int c = 0; c < kRowSums; ++c)
      *row_sum(sums, c) += row_partials[(layer * kStatisticsRowBlocks + slice) * kRowSums + c];
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    sums.declared += id_partials[(layer * blocks + block) * 2];
    sums.expected += id_partials[(layer * blocks + block) * 2 + 1];
  }
  const double theta = input.layers[layer].theta[0];
  const double batch = double(input.batch), tokens = double(input.tokens);
  write_figures(sums, theta, input.layers[layer].theta_gradient[0], batch, tokens,
                figures + layer * kSparkFigures);
  penalties[layer] = sums.gates / past_pairs(batch, tokens);
  const int bad = int(fmin(sums.counts[kCountNonFinite], 1e9)) + (isnan(theta) ? 1 : 0);
  if (bad != 0) atomicAdd(non_finite, bad);
}

}  // namespace

std::int64_t spark_statistics_scratch(std::int64_t layers, std::int64_t vocabulary) {
  return layers * (kStatisticsRowBlocks * kRowSums + id_blocks(vocabulary) * 2);
}

void spark_statistics(const SparkStatisticsInput& input, double* figures, double* penalties,
                      std::int32_t* non_finite, double* scratch, Stream stream) {
  const std::int64_t blocks = id_blocks(input.vocabulary);
  double* id_partials = scratch + input.count * kStatisticsRowBlocks * kRowSums;
  launch("the row sums of spark_statistics", sum_rows_kernel,
         std::int64_t(input.count) * kStatisticsRowBlocks, kRowThreads, stream, input, scratch);
  launch("the declarations of spark_statistics", count_declared_kernel, input.count * blocks, kIdThreads,
         stream, input, blocks, id_partials);
  launch("the figures of spark_statistics", figures_kernel, 1, kStatisticsLayers, stream, input, blocks,
         static_cast<const double*>(scratch), static_cast<const double*>(id_partials), figures, penalties,
         non_finite);
}

}  // namespace sparsescope::kernels
