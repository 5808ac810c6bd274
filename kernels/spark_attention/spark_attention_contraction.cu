// Gradients of SPaRK's addresses and declarations: a block 64 rows, dS contracted with the other side in
// bf16; one block more finishes theta's. And the whole backward pass, put together.
#include <cstddef>

#include "kernels/common/block_reduce.h"
#include "kernels/spark_attention/spark_attention_launches.cuh"

namespace sparsescope::kernels {
namespace {

struct ContractionArguments {
  ScoreArguments scores;
  std::int64_t partial_count;
  int chunks;  // of kColumns columns
  float score_scale;
  SparkAttentionGradients gradients;
};

// All tiles' partial sums, in a fixed order, by one block.
__device__ void finish_theta(const ContractionArguments& a) {
  __shared__ double reduction[3][kTileThreads / kWarpSize];
  ScorePartial total{};
  for (std::int64_t i = threadIdx.x; i < a.partial_count; i += kTileThreads) {
    const ScorePartial part = a.scores.partials[i];
    total.sum += part.sum;
    total.mass += part.mass;
    total.mass_outside += part.mass_outside;
  }
  total.sum = block_sum<kTileThreads>(total.sum, reduction[0]);
  total.mass = block_sum<kTileThreads>(total.mass, reduction[1]);
  total.mass_outside = block_sum<kTileThreads>(total.mass_outside, reduction[2]);
  if (threadIdx.x != 0) return;
  a.gradients.d_theta[0] -= float(total.sum);
  if (a.gradients.score_gradient_mass == nullptr) return;
  a.gradients.score_gradient_mass[0] = total.mass;
  a.gradients.score_gradient_mass[1] = total.mass_outside;
}

// Rows are 64 queries (addresses' gradient) or 64 keys (declarations' gradient) of a sequence; the other side
// is summed over.
enum class ContractionSide { Queries, Keys };

// A warp's 16 rows of one tile of dS as left factors; keys take the tile's transpose.
__device__ inline void load_left(FragmentA (&left)[4], const uint4* tile, ContractionSide side,
                                 const Lane& lane) {
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const int group = side == ContractionSide::Queries ? lane.warp * 4 + k : k * 4 + lane.warp;
    const uint4 values = tile[group * kWarpSize + lane.index];
    left[k] = {values.x, values.y, values.z, values.w};
  }
}
__device__ inline FragmentA transposed(const FragmentA& a) {
  return {transpose_matrix(a.at[0]), transpose_matrix(a.at[2]), transpose_matrix(a.at[1]),
          transpose_matrix(a.at[3])};
}

template <int kColumns>
__global__ void __launch_bounds__(kTileThreads) spark_contraction_kernel(ContractionArguments arguments) {
  __shared__ __align__(1024) unsigned char memory[2 * kTileBytes<kColumns>];
  if (blockIdx.x == gridDim.x - 1) {
    finish_theta(arguments);
    return;
  }
  const ScoreArguments& a = arguments.scores;
  const int tokens = a.attention.tokens, tile_rows = a.attention.tile_rows;
  const Lane lane;
  int index = int(blockIdx.x);
  const auto side = index % 2 == 0 ? ContractionSide::Queries : ContractionSide::Keys;
  index /= 2;
  const int first_column = index % arguments.chunks * kColumns;
  index /= arguments.chunks;
  const int sequence = index % a.attention.batch, own = index / a.attention.batch;
  // The longest sums first, on both sides.
  const int own_tile = side == ContractionSide::Queries ? tile_rows - 1 - own : own;
  const int begin = side == ContractionSide::Queries ? 0 : own_tile,
            end = side == ContractionSide::Queries ? own_tile + 1 : tile_rows;
  const std::int64_t tiles = std::int64_t(tile_rows) * (tile_rows + 1) / 2;
  const Bfloat16* factor = (side == ContractionSide::Queries ? a.rounded_declarations : a.rounded_addresses) +
                           std::int64_t(sequence) * tokens * a.columns + first_column;
  const auto d_scores = [&](int other) {
    return reinterpret_cast<const uint4*>(
        a.d_scores + (side == ContractionSide::Queries ? pair_tile_offset(sequence, tiles, own_tile, other)
                                                       : pair_tile_offset(sequence, tiles, other, own_tile)));
  };
  const auto copy = [&](int other) {
    copy_tile<kColumns>(tile_at<kColumns>(memory, (other - begin) % 2), factor, a.columns, other * kTileRows,
                        tokens);
    commit_copies();
  };

  FragmentC sums[kColumns / 8] = {};
  FragmentA left[4], next[4];
  copy(begin);
  load_left(next, d_scores(begin), side, lane);
  for (int other = begin; other < end; ++other) {
#pragma unroll
    for (int k = 0; k < 4; ++k) left[k] = next[k];
    wait_copies<0>();
    __syncthreads();
    if (other + 1 < end) {
      copy(other + 1);
      load_left(next, d_scores(other + 1), side, lane);
    }
    const auto tile = tile_at<kColumns>(memory, (other - begin) % 2);
#pragma unroll
    for (int k = 0; k < 4; ++k)
      multiply_columns<kColumns>(sums, side == ContractionSide::Keys ? transposed(left[k]) : left[k], tile,
                                 k * 16, lane);
  }

  const SparkAttentionGradients& gradients = arguments.gradients;
#pragma unroll
  for (int n = 0; n < kColumns / 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int row = own_tile * kTileRows + lane.row + e / 2 * 8,
                column = first_column + n * 8 + lane.column * 2 + e % 2;
      if (row >= tokens || column >= a.rank) continue;
      const float value = sums[n].at[e] * arguments.score_scale;
      const std::int64_t place = (std::int64_t(sequence) * tokens + row) * a.rank + column;
      if (side == ContractionSide::Queries) {
        gradients.d_address_rows[place] = value;
      } else {
        if (gradients.d_declarations != nullptr) gradients.d_declarations[place] = value;
        if (gradients.d_declarations_bf16 != nullptr)
          gradients.d_declarations_bf16[place] = __float2bfloat16_rn(value);
      }
    }
  }
}

// Parts of the scratch memory, each aligned to 256 bytes.
class Scratch {
 public:
  Scratch(SparkAttentionShape shape, std::int64_t rank, void* memory)
      : memory_(static_cast<std::byte*>(memory)) {
    const std::int64_t tokens = shape.batch * shape.tokens, tiles = shape.batch * pair_tiles(shape.tokens);
    delta_ = take(tokens * shape.heads * std::int64_t(sizeof(float)));
    d_scores_ = take(tiles * kPairTileValues * std::int64_t(sizeof(Bfloat16)));
    partials_ = take(tiles * std::int64_t(sizeof(ScorePartial)));
    addresses_ = take(tokens * score_columns(rank) * std::int64_t(sizeof(Bfloat16)));
    declarations_ = take(tokens * score_columns(rank) * std::int64_t(sizeof(Bfloat16)));
  }
  std::int64_t bytes() const { return bytes_; }
  void put_into(ScoreArguments& arguments) const {
    arguments.attention.delta = reinterpret_cast<float*>(memory_ + delta_);
    arguments.d_scores = reinterpret_cast<Bfloat16*>(memory_ + d_scores_);
    arguments.partials = reinterpret_cast<ScorePartial*>(memory_ + partials_);
    arguments.rounded_addresses = reinterpret_cast<Bfloat16*>(memory_ + addresses_);
    arguments.rounded_declarations = reinterpret_cast<Bfloat16*>(memory_ + declarations_);
  }

 private:
  std::int64_t take(std::int64_t bytes) {
    const std::int64_t first = bytes_;
    bytes_ += divide_up(bytes, 256) * 256;
    return first;
  }

  std::byte* memory_;
  std::int64_t bytes_ = 0, delta_, d_scores_, partials_, addresses_, declarations_;
};

}  // namespace

void spark_contraction(const ScoreArguments& scores, float score_scale,
                       const SparkAttentionGradients& gradients, Stream stream) {
  const int columns = scores.columns == 32 ? 32 : 64;
  const ContractionArguments arguments{scores, scores.attention.batch * pair_tiles(scores.attention.tokens),
                                       scores.columns / columns, score_scale, gradients};
  const std::int64_t blocks =
      std::int64_t(2) * scores.attention.tile_rows * scores.attention.batch * arguments.chunks + 1;
  launch_tiles("the contraction of spark_attention_backward",
               columns == 32 ? spark_contraction_kernel<32> : spark_contraction_kernel<64>, blocks, 0, stream,
               arguments);
}

std::int64_t spark_attention_backward_scratch(SparkAttentionShape shape, std::int64_t rank) {
  return Scratch(shape, rank, nullptr).bytes();
}

void spark_attention_backward(const SparkAttentionInput& input, SparkAttentionShape shape,
                              SparkAttentionRule rule, const SparkAttentionSaved& saved,
                              const Bfloat16* d_output, const SparkScoreGradientInput& scores,
                              const SparkAttentionGradients& gradients, void* scratch, Stream stream) {
  ScoreArguments arguments{};
  arguments.attention = spark_arguments(input, shape, rule, saved);
  arguments.attention.d_output = d_output;
  arguments.attention.d_qkv = gradients.d_qkv;
  Scratch(shape, scores.rank, scratch).put_into(arguments);
  const double tokens = double(shape.tokens), pairs = double(shape.batch) * tokens * (tokens - 1) / 2;
  arguments.weight = scores.weight;
  arguments.inverse_pairs = float(1 / ((pairs > 1 ? pairs : 1) * double(scores.layers)));
  arguments.inverse_tau = 1.0f / scores.tau;
  arguments.gates_all = rule.gate_pairs == SparkGatePairs::All;
  arguments.scores = scores.scores;
  arguments.rank = int(scores.rank);
  arguments.columns = score_columns(scores.rank);

  const int head_width = int(shape.head_width);
  spark_qkv_gradients(arguments.attention, head_width, rule.estimator, stream);
  spark_score_gradients(arguments, head_width, rule.estimator, stream);
  spark_contraction(arguments, spark_score_scale(scores.kappa, scores.rank), gradients, stream);
}

}  // namespace sparsescope::kernels
