// Gradient of SPaRK's scores: a block a tile of 64 x 64 pairs adds e(w) over heads and makes dS of it,
// penalty included. Blocks on the diagonal also round addresses and declarations for the contraction that
// follows.
#include "kernels/common/block_reduce.h"
#include "kernels/spark_attention/spark_attention_launches.cuh"

namespace sparsescope::kernels {
namespace {

constexpr int kHalf = kTileRows / 2;
constexpr std::uint32_t kBf16MinusInfinity = 0xff80u;

struct TilePlace {
  int sequence, query_tile, key_tile;
};

// Turns a tile's log gates into what a head adds to its logits: 0 where the gate is 1, minus infinity where a
// pair takes no part.
template <bool kSoft>
__device__ void make_effective(RowGates& gates, const RowBits& bits, bool is_diagonal, const Lane& lane) {
#pragma unroll
  for (int n = 0; n < 8; ++n) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      std::uint32_t& pair = gates.pairs[n / 2][n % 2 * 2 + i];
      std::uint32_t halves[2];
#pragma unroll
      for (int column = 0; column < 2; ++column) {
        const int e = i * 2 + column;
        if constexpr (kSoft) {
          const bool is_future = is_diagonal && n * 8 + lane.column * 2 + column > lane.row + i * 8;
          const std::uint32_t own = column == 0 ? pair & 0xffffu : pair >> 16;
          halves[column] = is_future ? kBf16MinusInfinity : bits.is_given(n, e) ? 0 : own;
        } else {
          halves[column] = bits.in_scope(n, e) ? 0 : kBf16MinusInfinity;
        }
      }
      pair = halves[0] | halves[1] << 16;
    }
  }
}

// sums [16 x 64] += weights (d weights - delta) of one head.
template <int kWidth>
__device__ void add_head(const SparkArguments& a, const PositionBias& bias, SwizzledTile<kWidth> queries,
                         SwizzledTile<kWidth> keys, SwizzledTile<kWidth> values,
                         SwizzledTile<kWidth> d_output, const float (&lse)[2], const float (&delta)[2],
                         const RowGates& effective, FragmentC (&sums)[8], const Lane& lane) {
  RowFragments<kWidth> query_rows, d_output_rows;
  query_rows.load(queries, lane);
  d_output_rows.load(d_output, lane);
  const float first[2] = {fmaf(lse[0], -kLog2E, bias.first[0]), fmaf(lse[1], -kLog2E, bias.first[1])};
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    FragmentC logits[4] = {}, d_weights[4] = {};
    multiply_rows<kWidth, 4>(logits, query_rows, keys, half * kHalf, lane);
    multiply_rows<kWidth, 4>(d_weights, d_output_rows, values, half * kHalf, lane);
#pragma unroll
    for (int block = 0; block < 4; ++block) {
      const int n = half * 4 + block;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float shift = fmaf(bias.slope2, float(n * 8 + e % 2), first[e / 2]);
        const float logit = fmaf(effective(n, e), kLog2E, fmaf(logits[block].at[e], a.scale2, shift));
        sums[n].at[e] = fmaf(exp2_fast(logit), d_weights[block].at[e] - delta[e / 2], sums[n].at[e]);
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

// Rounds rows first .. first+63 of [.., rank] into [.., columns], zeros beyond the rank.
template <typename T, typename SourceOf>
__device__ void round_rows(Bfloat16* target, const SourceOf& source_of, int rows, int rank, int columns) {
  for (int i = int(threadIdx.x); i < rows * columns / 4; i += kTileThreads) {
    const int row = i / (columns / 4), column = i % (columns / 4) * 4;
    const T* source = source_of(row) + column;
    Pack<4> values{};
    if (rank % 4 == 0 && column < rank) {
      values = load<4>(source);
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (column + j < rank) values.at[j] = load<1>(source + j).at[0];
    }
    store<4>(target + row * columns + column, values);
  }
}

__device__ void round_factors(const ScoreArguments& a, int sequence, int tile) {
  const int tokens = a.attention.tokens, first = tile * kTileRows, rows = min(kTileRows, tokens - first);
  const std::int64_t token = std::int64_t(sequence) * tokens + first;
  const std::int64_t* ids = a.scores.ids.data + sequence * a.scores.ids.stride + first;
  round_rows<float>(
      a.rounded_addresses + token * a.columns,
      [&](int row) { return a.scores.addresses + ids[row] * a.rank; }, rows, a.rank, a.columns);
  Bfloat16* target = a.rounded_declarations + token * a.columns;
  if (a.scores.declarations != nullptr) {
    round_rows<float>(
        target, [&](int row) { return a.scores.declarations + (token + row) * a.rank; }, rows, a.rank,
        a.columns);
  } else {
    round_rows<Bfloat16>(
        target, [&](int row) { return a.scores.declarations_bf16 + (token + row) * a.rank; }, rows, a.rank,
        a.columns);
  }
}

// Sums [16 x 64] a warp over the heads of a tile.
template <int kWidth, bool kSoft>
__device__ void add_heads(const SparkArguments& a, const TilePlace& place, unsigned char* memory,
                          const RowBits& bits, FragmentC (&sums)[8], const Lane& lane) {
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
  // Statistics of this lane's rows, a head ahead.
  float lse[2], delta[2], next_lse[2], next_delta[2];
  const auto load_statistics = [&](int head) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int query = place.query_tile * kTileRows + lane.row + i * 8;
      const std::int64_t index = statistics_offset(a, place.sequence, head) + query;
      next_lse[i] = query < a.tokens ? (kSoft ? a.saved.lse_soft : a.saved.lse_hard)[index] : 0.0f;
      next_delta[i] = query < a.tokens ? a.delta[index] : 0.0f;
    }
  };
  copy_head(0, 0);
  commit_copies();
  load_statistics(0);
  RowGates effective;
  if constexpr (kSoft) effective.load(a, place.sequence, place.query_tile, place.key_tile, lane);
  make_effective<kSoft>(effective, bits, place.query_tile == place.key_tile, lane);
  for (int head = 0; head < a.heads; ++head) {
    const int stage = head % 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) lse[i] = next_lse[i], delta[i] = next_delta[i];
    wait_copies<0>();
    __syncthreads();
    if (head + 1 < a.heads) {
      copy_head(head + 1, stage ^ 1);
      commit_copies();
      load_statistics(head + 1);
    }
    const PositionBias bias(slope2_of(a, head), place.query_tile * kTileRows, place.key_tile * kTileRows,
                            lane);
    add_head<kWidth>(a, bias, tile(stage, 0), tile(stage, 1), tile(stage, 2), tile(stage, 3), lse, delta,
                     effective, sums, lane);
  }
}

template <int kWidth, bool kSoft>
__global__ void __launch_bounds__(kTileThreads, kWidth == 32 ? 4 : 3)
    spark_score_gradient_kernel(ScoreArguments arguments) {
  extern __shared__ __align__(1024) unsigned char memory[];
  __shared__ double reduction[3][kTileThreads / kWarpSize];
  const SparkArguments& a = arguments.attention;
  const Lane lane;
  const int tiles = a.tile_rows * (a.tile_rows + 1) / 2, n = int(blockIdx.x) % tiles;
  const int query_tile = pair_tile_row(n);
  const TilePlace place{int(blockIdx.x) / tiles, query_tile, n - query_tile * (query_tile + 1) / 2};
  if (place.query_tile == place.key_tile) round_factors(arguments, place.sequence, place.query_tile);

  RowBits bits;
  bits.load(a, place.sequence, place.query_tile, place.key_tile, lane);
  const float penalty = arguments.weight != nullptr ? arguments.weight[0] * arguments.inverse_pairs : 0.0f;
  const bool has_scope =
      kSoft ||
      __syncthreads_or((bits.scope[0][0] | bits.scope[0][1] | bits.scope[1][0] | bits.scope[1][1]) != 0);
  FragmentC sums[8] = {};
  ScorePartial partial{};
  if (has_scope) add_heads<kWidth, kSoft>(a, place, memory, bits, sums, lane);
  if (has_scope || penalty != 0.0f) {
    RowGates gates;
    gates.load(a, place.sequence, place.query_tile, place.key_tile, lane);
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

template <int kWidth, bool kSoft>
void run(const ScoreArguments& arguments, Stream stream) {
  launch_tiles("the score pass of spark_attention_backward", spark_score_gradient_kernel<kWidth, kSoft>,
               arguments.attention.batch * pair_tiles(arguments.attention.tokens), 8 * kTileBytes<kWidth>,
               stream, arguments);
}

}  // namespace

void spark_score_gradients(const ScoreArguments& arguments, int head_width, SparkEstimator estimator,
                           Stream stream) {
  const bool is_soft = estimator == SparkEstimator::Surrogate;
  if (head_width == 32) {
    is_soft ? run<32, true>(arguments, stream) : run<32, false>(arguments, stream);
  } else {
    is_soft ? run<64, true>(arguments, stream) : run<64, false>(arguments, stream);
  }
}

}  // namespace sparsescope::kernels
