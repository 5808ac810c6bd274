// Gradients of SPaRK's scores, summed over heads: a block a tile of 64 x 64 pairs makes dS, then a block 64
// rows contracts dS with declarations (for addresses) or with addresses (for declarations). And the whole
// backward pass, put together.
#include "kernels/common/block_reduce.h"
#include "kernels/common/vector.h"
#include "kernels/spark_attention/spark_arguments.cuh"
#include "kernels/spark_attention/spark_attention_launches.h"

namespace sparsescope::kernels {
namespace {

constexpr int kHalf = kTileRows / 2;

// What one tile of pairs adds to theta's gradient and to the record.
struct ScorePartial {
  double sum, mass, mass_outside;
};

struct ScoreArguments {
  SparkArguments attention;
  const float* weight;  // [1] or null
  float inverse_tau, inverse_pairs;
  bool gates_all;          // in_scope
  Bfloat16* d_scores;      // plane of pairs
  ScorePartial* partials;  // [B, tiles]
};

struct TilePlace {
  int sequence, query_tile, key_tile;
};

// sums [16 x 64] += weights (d weights - delta) of one head.
template <int kWidth, bool kSoft>
__device__ void add_head(const SparkArguments& a, const TilePlace& place, int head,
                         SwizzledTile<kWidth> queries, SwizzledTile<kWidth> keys, SwizzledTile<kWidth> values,
                         SwizzledTile<kWidth> d_output, const float (&lse)[2], const float (&delta)[2],
                         const RowBits& bits, const RowGates& gates, FragmentC (&sums)[8], const Lane& lane) {
  RowFragments<kWidth> query_rows, d_output_rows;
  query_rows.load(queries, lane);
  d_output_rows.load(d_output, lane);
  const bool is_diagonal = place.query_tile == place.key_tile;
  const PositionBias bias(slope2_of(a, head), place.query_tile * kTileRows, place.key_tile * kTileRows, lane);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (!kSoft && !bits.any_in_scope(half)) continue;
    FragmentC logits[4] = {}, d_weights[4] = {};
    multiply_rows<kWidth, 4>(logits, query_rows, keys, half * kHalf, lane);
    multiply_rows<kWidth, 4>(d_weights, d_output_rows, values, half * kHalf, lane);
#pragma unroll
    for (int block = 0; block < 4; ++block) {
      const int n = half * 4 + block;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float logit = fmaf(logits[block].at[e], a.scale2, fmaf(lse[e / 2], -kLog2E, bias(n, e)));
        bool takes_part;
        if constexpr (kSoft) {
          if (!bits.is_given(n, e)) logit = fmaf(gates(n, e), kLog2E, logit);
          takes_part = !is_diagonal || n * 8 + lane.column * 2 + e % 2 <= lane.row + e / 2 * 8;
        } else {
          takes_part = bits.in_scope(n, e);
        }
        const float weight = takes_part ? exp2_fast(logit) : 0.0f;
        sums[n].at[e] = fmaf(weight, d_weights[block].at[e] - delta[e / 2], sums[n].at[e]);
      }
    }
  }
}

// Turns sums over heads into dS, penalty included, and adds up what is recorded.
template <bool kSoft>
__device__ void finish_pairs(const ScoreArguments& a, const TilePlace& place, float penalty,
                             const RowBits& bits, const RowGates& gates, FragmentC (&sums)[8],
                             ScorePartial& partial, const Lane& lane) {
  float total = 0, mass = 0, mass_outside = 0;
#pragma unroll
  for (int n = 0; n < 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int query = place.query_tile * kTileRows + lane.row + e / 2 * 8,
                key = place.key_tile * kTileRows + n * 8 + lane.column * 2 + e % 2;
      const bool is_past = key < query, in_scope = bits.in_scope(n, e);
      const float log_gate = gates(n, e), gate = exp2_fast(log_gate * kLog2E);
      const float rest = log_gate > -0.01f ? -log_gate * fmaf(0.5f, log_gate, 1.0f) : 1.0f - gate;
      bool carries;
      if constexpr (kSoft) {
        carries = is_past && !bits.is_given(n, e);
      } else {
        carries = a.gates_all ? in_scope : bits.is_direct(n, e);
      }
      const float slope = (kSoft ? rest : gate * rest) * a.inverse_tau;
      float d_score = carries ? sums[n].at[e] * slope : 0.0f;
      mass += fabsf(d_score);
      if (!in_scope) mass_outside += fabsf(d_score);
      if (is_past && query < a.attention.tokens)
        d_score = fmaf(penalty, gate * rest * a.inverse_tau, d_score);
      total += d_score;
      sums[n].at[e] = d_score;
    }
  }
  partial = {total, mass, mass_outside};
}

template <int kWidth, bool kSoft>
__global__ void __launch_bounds__(kTileThreads) spark_score_gradient_kernel(ScoreArguments arguments) {
  extern __shared__ __align__(1024) unsigned char memory[];
  __shared__ double reduction[3][kTileThreads / kWarpSize];
  const SparkArguments& a = arguments.attention;
  const Lane lane;
  const int tiles = a.tile_rows * (a.tile_rows + 1) / 2, n = int(blockIdx.x) % tiles;
  const int query_tile = pair_tile_row(n);
  const TilePlace place{int(blockIdx.x) / tiles, query_tile, n - query_tile * (query_tile + 1) / 2};
  const auto tile = [&](int stage, int slot) { return tile_at<kWidth>(memory, stage * 4 + slot); };
  const auto copy_head = [&](int head, int stage) {
    const std::int64_t stride = qkv_stride(a, kWidth);
    const auto source = [&](QkvSlot slot) {
      return a.qkv + qkv_offset(a, place.sequence, head, kWidth, slot);
    };
    copy_tile<kWidth>(tile(stage, 0), source(kQuerySlot), stride, place.query_tile * kTileRows, a.tokens);
    copy_tile<kWidth>(tile(stage, 1), source(kKeySlot), stride, place.key_tile * kTileRows, a.tokens);
    copy_tile<kWidth>(tile(stage, 2), source(kValueSlot), stride, place.key_tile * kTileRows, a.tokens);
    copy_tile<kWidth>(tile(stage, 3), a.d_output + output_offset(a, place.sequence, head, kWidth),
                      output_stride(a, kWidth), place.query_tile * kTileRows, a.tokens);
  };
  RowBits bits;
  bits.load(a, place.sequence, place.query_tile, place.key_tile, lane);
  const float penalty = arguments.weight != nullptr ? arguments.weight[0] * arguments.inverse_pairs : 0.0f;
  const bool has_scope =
      __syncthreads_or((bits.scope[0][0] | bits.scope[0][1] | bits.scope[1][0] | bits.scope[1][1]) != 0);
  FragmentC sums[8] = {};
  ScorePartial partial{};
  if (kSoft || has_scope || penalty != 0.0f) {
    RowGates gates;
    gates.load(a, place.sequence, place.query_tile, place.key_tile, lane);
    const int heads = kSoft || has_scope ? a.heads : 0;
    if (heads > 0) copy_head(0, 0);
    commit_copies();
    for (int head = 0; head < heads; ++head) {
      const int stage = head % 2;
      if (head + 1 < heads) copy_head(head + 1, stage ^ 1);
      commit_copies();
      float lse[2], delta[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int query = place.query_tile * kTileRows + lane.row + i * 8;
        const std::int64_t index = statistics_offset(a, place.sequence, head) + query;
        lse[i] = query < a.tokens ? (kSoft ? a.saved.lse_soft : a.saved.lse_hard)[index] : 0.0f;
        delta[i] = query < a.tokens ? a.delta[index] : 0.0f;
      }
      wait_copies<1>();
      __syncthreads();
      add_head<kWidth, kSoft>(a, place, head, tile(stage, 0), tile(stage, 1), tile(stage, 2), tile(stage, 3),
                              lse, delta, bits, gates, sums, lane);
      __syncthreads();
    }
    finish_pairs<kSoft>(arguments, place, penalty, bits, gates, sums, partial, lane);
  }
  auto* target = reinterpret_cast<uint4*>(
      arguments.d_scores + pair_tile_offset(place.sequence, tiles, place.query_tile, place.key_tile));
#pragma unroll
  for (int group = 0; group < 4; ++group) {
    const FragmentA packed = fragment_a(sums[group * 2], sums[group * 2 + 1]);
    target[(lane.warp * 4 + group) * kWarpSize + lane.index] = {packed.at[0], packed.at[1], packed.at[2],
                                                                packed.at[3]};
  }
  partial.sum = block_sum<kTileThreads>(partial.sum, reduction[0]);
  partial.mass = block_sum<kTileThreads>(partial.mass, reduction[1]);
  partial.mass_outside = block_sum<kTileThreads>(partial.mass_outside, reduction[2]);
  if (threadIdx.x == 0) arguments.partials[blockIdx.x] = partial;
}

template <typename Declaration>
struct ContractionArguments {
  const Bfloat16* d_scores;  // plane of pairs
  const ScorePartial* partials;
  std::int64_t partial_count;
  const Declaration* declarations;  // [B,T,r]
  const float* addresses;           // [V,r]
  TokenIds ids;
  int batch, tokens, rank, tile_rows, chunks;
  float score_scale;
  float* d_address_rows;
  float* d_declarations;
  Bfloat16* d_declarations_bf16;
  float* d_theta;
  double* mass;
};

// Rows of `source_of(row)` [rank], columns first .. first + kColumns - 1, rounded to bf16, into a tile.
template <int kColumns, typename SourceOf>
__device__ void stage_rows(unsigned char* memory, const SourceOf& source_of, int first, int rank) {
  constexpr int kFours = kColumns / 4;
#pragma unroll 4
  for (int i = int(threadIdx.x); i < kTileRows * kFours; i += kTileThreads) {
    const int row = i / kFours, column = i % kFours * 4;
    const auto* source = source_of(row);
    Pack<4> values{};
    if (source != nullptr) {
      if (rank % 4 == 0 && first + column < rank) {
        values = load<4>(source + first + column);
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if (first + column + j < rank) values.at[j] = load<1>(source + first + column + j).at[0];
      }
    }
    *reinterpret_cast<uint2*>(memory + SwizzledTile<kColumns>::offset(row, column / 8) + column % 8 * 2) = {
        pack(values.at[0], values.at[1]), pack(values.at[2], values.at[3])};
  }
}

// All tiles' partial sums, in a fixed order, by one block.
template <typename Declaration>
__device__ void finish_theta(const ContractionArguments<Declaration>& a) {
  __shared__ double reduction[3][kTileThreads / kWarpSize];
  ScorePartial total{};
  for (std::int64_t i = threadIdx.x; i < a.partial_count; i += kTileThreads) {
    total.sum += a.partials[i].sum;
    total.mass += a.partials[i].mass;
    total.mass_outside += a.partials[i].mass_outside;
  }
  total.sum = block_sum<kTileThreads>(total.sum, reduction[0]);
  total.mass = block_sum<kTileThreads>(total.mass, reduction[1]);
  total.mass_outside = block_sum<kTileThreads>(total.mass_outside, reduction[2]);
  if (threadIdx.x != 0) return;
  a.d_theta[0] -= float(total.sum);
  if (a.mass == nullptr) return;
  a.mass[0] = total.mass;
  a.mass[1] = total.mass_outside;
}

// Rows are 64 queries (addresses' gradient) or 64 keys (declarations' gradient) of a sequence; the other side
// is summed over.
enum class ContractionSide { Queries, Keys };

template <int kColumns, typename Declaration>
__global__ void __launch_bounds__(kTileThreads)
    spark_contraction_kernel(ContractionArguments<Declaration> a) {
  __shared__ __align__(1024) unsigned char memory[2][kTileBytes<kColumns>];
  if (blockIdx.x == gridDim.x - 1) {
    finish_theta(a);
    return;
  }
  const Lane lane;
  int index = int(blockIdx.x);
  const auto side = index % 2 == 0 ? ContractionSide::Queries : ContractionSide::Keys;
  index /= 2;
  const int first_column = index % a.chunks * kColumns;
  index /= a.chunks;
  const int sequence = index % a.batch, own = index / a.batch;
  // The longest sums first, on both sides.
  const int own_tile = side == ContractionSide::Queries ? a.tile_rows - 1 - own : own;
  const int begin = side == ContractionSide::Queries ? 0 : own_tile,
            end = side == ContractionSide::Queries ? own_tile + 1 : a.tile_rows;
  const std::int64_t tiles = std::int64_t(a.tile_rows) * (a.tile_rows + 1) / 2,
                     first = std::int64_t(sequence) * a.tokens;
  const auto stage = [&](int tile, unsigned char* target) {
    if (side == ContractionSide::Queries) {
      stage_rows<kColumns>(
          target,
          [&](int row) -> const Declaration* {
            const int key = tile * kTileRows + row;
            return key < a.tokens ? a.declarations + (first + key) * a.rank : nullptr;
          },
          first_column, a.rank);
    } else {
      stage_rows<kColumns>(
          target,
          [&](int row) -> const float* {
            const int query = tile * kTileRows + row;
            return query < a.tokens ? a.addresses + a.ids.data[sequence * a.ids.stride + query] * a.rank
                                    : nullptr;
          },
          first_column, a.rank);
    }
  };
  FragmentC sums[kColumns / 8] = {};
  stage(begin, memory[0]);
  for (int other = begin; other < end; ++other) {
    const int current = (other - begin) % 2;
    const std::int64_t offset = side == ContractionSide::Queries
                                    ? pair_tile_offset(sequence, tiles, own_tile, other)
                                    : pair_tile_offset(sequence, tiles, other, own_tile);
    const auto* d_scores = reinterpret_cast<const uint4*>(a.d_scores + offset);
    FragmentA left[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int group = side == ContractionSide::Queries ? lane.warp * 4 + k : k * 4 + lane.warp;
      const uint4 values = d_scores[group * kWarpSize + lane.index];
      left[k] = {values.x, values.y, values.z, values.w};
    }
    __syncthreads();
    if (other + 1 < end) stage(other + 1, memory[current ^ 1]);
    if (side == ContractionSide::Keys) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const FragmentA turned = left[k];
        left[k] = {transpose_matrix(turned.at[0]), transpose_matrix(turned.at[2]),
                   transpose_matrix(turned.at[1]), transpose_matrix(turned.at[3])};
      }
    }
    const SwizzledTile<kColumns> tile{shared_address(memory[current])};
#pragma unroll
    for (int k = 0; k < 4; ++k) multiply_columns<kColumns>(sums, left[k], tile, k * 16, lane);
  }

#pragma unroll
  for (int n = 0; n < kColumns / 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int row = own_tile * kTileRows + lane.row + e / 2 * 8,
                column = first_column + n * 8 + lane.column * 2 + e % 2;
      if (row >= a.tokens || column >= a.rank) continue;
      const float value = sums[n].at[e] * a.score_scale;
      const std::int64_t place = (first + row) * a.rank + column;
      if (side == ContractionSide::Queries) {
        a.d_address_rows[place] = value;
      } else {
        if (a.d_declarations != nullptr) a.d_declarations[place] = value;
        if (a.d_declarations_bf16 != nullptr) a.d_declarations_bf16[place] = __float2bfloat16_rn(value);
      }
    }
  }
}

template <int kWidth, bool kSoft>
void run_scores(const ScoreArguments& arguments, Stream stream) {
  launch_tiles("the score pass of spark_attention_backward", spark_score_gradient_kernel<kWidth, kSoft>,
               arguments.attention.batch * pair_tiles(arguments.attention.tokens), 8 * kTileBytes<kWidth>,
               stream, arguments);
}

template <typename Declaration>
void run_contraction(const ScoreArguments& scores, const Declaration* declarations,
                     const SparkScoreGradientInput& input, const SparkAttentionGradients& gradients,
                     Stream stream) {
  const SparkArguments& a = scores.attention;
  const int columns = input.rank <= 32 ? 32 : 64, chunks = int(divide_up(input.rank, columns));
  const ContractionArguments<Declaration> arguments{scores.d_scores,
                                                    scores.partials,
                                                    a.batch * pair_tiles(a.tokens),
                                                    declarations,
                                                    input.scores.addresses,
                                                    input.scores.ids,
                                                    a.batch,
                                                    a.tokens,
                                                    int(input.rank),
                                                    a.tile_rows,
                                                    chunks,
                                                    spark_score_scale(input.kappa, input.rank),
                                                    gradients.d_address_rows,
                                                    gradients.d_declarations,
                                                    gradients.d_declarations_bf16,
                                                    gradients.d_theta,
                                                    gradients.score_gradient_mass};
  const std::int64_t blocks = std::int64_t(2) * a.tile_rows * a.batch * chunks + 1;
  const char* what = "the contraction of spark_attention_backward";
  if (columns == 32) {
    launch_tiles(what, spark_contraction_kernel<32, Declaration>, blocks, 0, stream, arguments);
  } else {
    launch_tiles(what, spark_contraction_kernel<64, Declaration>, blocks, 0, stream, arguments);
  }
}

std::int64_t aligned(std::int64_t bytes) { return divide_up(bytes, 256) * 256; }

struct ScratchBytes {
  std::int64_t delta, d_scores, partials;

  explicit ScratchBytes(SparkAttentionShape shape)
      : delta(aligned(shape.batch * shape.heads * shape.tokens * std::int64_t(sizeof(float)))),
        d_scores(aligned(pair_plane_values(shape.batch, shape.tokens) * std::int64_t(sizeof(Bfloat16)))),
        partials(aligned(shape.batch * pair_tiles(shape.tokens) * std::int64_t(sizeof(ScorePartial)))) {}
};

}  // namespace

std::int64_t spark_attention_backward_scratch(SparkAttentionShape shape) {
  const ScratchBytes bytes(shape);
  return bytes.delta + bytes.d_scores + bytes.partials;
}

void spark_attention_backward(const SparkAttentionInput& input, SparkAttentionShape shape,
                              SparkAttentionRule rule, const SparkAttentionSaved& saved,
                              const Bfloat16* d_output, const SparkScoreGradientInput& scores,
                              const SparkAttentionGradients& gradients, void* scratch, Stream stream) {
  const ScratchBytes bytes(shape);
  auto* memory = static_cast<std::byte*>(scratch);
  ScoreArguments arguments{};
  arguments.attention = spark_arguments(input, shape, rule, saved);
  arguments.attention.d_output = d_output;
  arguments.attention.d_qkv = gradients.d_qkv;
  arguments.attention.delta = reinterpret_cast<float*>(memory);
  arguments.d_scores = reinterpret_cast<Bfloat16*>(memory + bytes.delta);
  arguments.partials = reinterpret_cast<ScorePartial*>(memory + bytes.delta + bytes.d_scores);
  const double tokens = double(shape.tokens), pairs = double(shape.batch) * tokens * (tokens - 1) / 2;
  arguments.weight = scores.weight;
  arguments.inverse_pairs = float(1 / ((pairs > 1 ? pairs : 1) * double(scores.layers)));
  arguments.inverse_tau = 1.0f / scores.tau;
  arguments.gates_all = rule.gate_pairs == SparkGatePairs::All;

  spark_qkv_gradients(arguments.attention, int(shape.head_width), rule.estimator, stream);
  const bool is_soft = rule.estimator == SparkEstimator::Surrogate;
  if (shape.head_width == 32) {
    is_soft ? run_scores<32, true>(arguments, stream) : run_scores<32, false>(arguments, stream);
  } else {
    is_soft ? run_scores<64, true>(arguments, stream) : run_scores<64, false>(arguments, stream);
  }
  if (scores.scores.declarations != nullptr) {
    run_contraction(arguments, scores.scores.declarations, scores, gradients, stream);
  } else {
    run_contraction(arguments, scores.scores.declarations_bf16, scores, gradients, stream);
  }
}

}  // namespace sparsescope::kernels
