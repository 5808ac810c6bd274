// SPaRK's attention, forward: a block a head and 64 queries, one pass over keys with up to two softmaxes,
// over the scope and over the soft gates.
#include "kernels/spark_attention/spark_arguments.cuh"

namespace sparsescope::kernels {
namespace {

// A running softmax over keys and its weighted sum of values, 16 rows a warp.
template <int kWidth>
struct RunningSoftmax {
  float highest[2] = {-INFINITY, -INFINITY}, sums[2] = {};  // log2 units; sums of this lane's keys
  FragmentC output[kWidth / 8] = {};

  // logits [16 x 64] in log2 units, -inf where a pair takes no part; consumed.
  __device__ void add(FragmentC (&logits)[8], SwizzledTile<kWidth> values, const Lane& lane) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float peak = highest[i];
#pragma unroll
      for (int n = 0; n < 8; ++n) peak = fmaxf(peak, fmaxf(logits[n].at[i * 2], logits[n].at[i * 2 + 1]));
      peak = row_max(peak);
      const float base = peak == -INFINITY ? 0.0f : peak, factor = exp2_fast(highest[i] - base);
      highest[i] = peak;
      float sum = 0;
#pragma unroll
      for (int n = 0; n < 8; ++n) {
#pragma unroll
        for (int e = i * 2; e < i * 2 + 2; ++e) sum += logits[n].at[e] = exp2_fast(logits[n].at[e] - base);
      }
      sums[i] = sums[i] * factor + sum;
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) output[n].at[i * 2] *= factor, output[n].at[i * 2 + 1] *= factor;
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      multiply_columns<kWidth>(output, fragment_a(logits[k * 2], logits[k * 2 + 1]), values, k * 16, lane);
    }
  }

  __device__ void write(const SparkArguments& a, const HeadTile& place, Bfloat16* target, float* lse,
                        const Lane& lane) const {
    float factors[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float total = row_sum(sums[i]);
      factors[i] = 1.0f / total;
      const int query = place.tile * kTileRows + lane.row + i * 8;
      if (lane.column == 0 && query < a.tokens)
        lse[statistics_offset(a, place.sequence, place.head) + query] = (highest[i] + log2f(total)) * kLn2;
    }
    write_rows<kWidth>(target + output_offset(a, place.sequence, place.head, kWidth),
                       output_stride(a, kWidth), place.tile * kTileRows, a.tokens, output, factors[0],
                       factors[1], lane);
  }
};

// Adds a tile of keys to both softmaxes.
template <int kWidth, bool kSoft>
__device__ void add_tile(const SparkArguments& a, const HeadTile& place, int key_tile,
                         const RowFragments<kWidth>& queries, SwizzledTile<kWidth> keys,
                         SwizzledTile<kWidth> values, float slope2, const RowBits& bits,
                         const RowGates& gates, RunningSoftmax<kWidth>& hard, RunningSoftmax<kWidth>& soft,
                         const Lane& lane) {
  FragmentC logits[8] = {};
  multiply_rows<kWidth, 8>(logits, queries, keys, 0, lane);
  const PositionBias bias(slope2, place.tile * kTileRows, key_tile * kTileRows, lane);
#pragma unroll
  for (int n = 0; n < 8; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) logits[n].at[e] = fmaf(logits[n].at[e], a.scale2, bias(n, e));
  if constexpr (kSoft) {
    const bool is_diagonal = key_tile == place.tile;
    FragmentC gated[8];
#pragma unroll
    for (int n = 0; n < 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float logit =
            bits.is_given(n, e) ? logits[n].at[e] : fmaf(gates(n, e), kLog2E, logits[n].at[e]);
        const bool is_future = n * 8 + lane.column * 2 + e % 2 > lane.row + e / 2 * 8;
        gated[n].at[e] = is_diagonal && is_future ? -INFINITY : logit;
      }
    }
    soft.add(gated, values, lane);
  }
  if (!bits.any_in_scope(0) && !bits.any_in_scope(1)) return;
#pragma unroll
  for (int n = 0; n < 8; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) logits[n].at[e] = bits.in_scope(n, e) ? logits[n].at[e] : -INFINITY;
  hard.add(logits, values, lane);
}

template <int kWidth, bool kSoft>
__global__ void __launch_bounds__(kTileThreads) spark_forward_kernel(SparkArguments a) {
  extern __shared__ __align__(1024) unsigned char memory[];
  const auto query_rows = tile_at<kWidth>(memory, 0);
  const auto keys = [&](int stage) { return tile_at<kWidth>(memory, 1 + stage * 2); };
  const auto values = [&](int stage) { return tile_at<kWidth>(memory, 2 + stage * 2); };
  std::uint8_t* marks = memory + 5 * kTileBytes<kWidth>;
  const Lane lane;
  const HeadTile place = this_head_tile<TileOrder::LastFirst>(a);
  const std::int64_t stride = qkv_stride(a, kWidth);
  const auto source = [&](QkvSlot slot) {
    return a.qkv + qkv_offset(a, place.sequence, place.head, kWidth, slot);
  };
  const auto copy_keys = [&](int tile, int stage) {
    copy_tile<kWidth>(keys(stage), source(kKeySlot), stride, tile * kTileRows, a.tokens);
    copy_tile<kWidth>(values(stage), source(kValueSlot), stride, tile * kTileRows, a.tokens);
  };
  const int end = place.tile + 1;
  copy_tile<kWidth>(query_rows, source(kQuerySlot), stride, place.tile * kTileRows, a.tokens);
  if constexpr (!kSoft) mark_tiles<TileAxis::Keys>(a, place.sequence, place.tile, marks);
  const auto next = [&](int tile) { return kSoft ? tile : next_marked(marks, tile, end); };

  RowFragments<kWidth> queries;
  RunningSoftmax<kWidth> hard, soft;
  const float slope2 = slope2_of(a, place.head);
  int tile = next(0);
  copy_keys(tile, 0);
  commit_copies();
  for (int step = 0; tile < end; ++step) {
    const int following = next(tile + 1), stage = step % 2;
    if (following < end) copy_keys(following, stage ^ 1);
    commit_copies();
    RowBits bits;
    bits.load(a, place.sequence, place.tile, tile, lane);
    RowGates gates;
    if constexpr (kSoft) gates.load(a, place.sequence, place.tile, tile, lane);
    wait_copies<1>();
    __syncthreads();
    if (step == 0) queries.load(query_rows, lane);
    add_tile<kWidth, kSoft>(a, place, tile, queries, keys(stage), values(stage), slope2, bits, gates, hard,
                            soft, lane);
    __syncthreads();
    tile = following;
  }
  hard.write(a, place, a.saved.output, a.saved.lse_hard, lane);
  if constexpr (kSoft) soft.write(a, place, a.saved.soft_output, a.saved.lse_soft, lane);
}

template <int kWidth>
void run(const SparkArguments& a, SparkEstimator estimator, Stream stream) {
  const std::size_t tiles = 5 * kTileBytes<kWidth>;
  const std::int64_t blocks = std::int64_t(a.batch) * a.heads * a.tile_rows;
  if (estimator == SparkEstimator::Surrogate) {
    launch_tiles("spark_attention", spark_forward_kernel<kWidth, true>, blocks, tiles, stream, a);
  } else {
    launch_tiles("spark_attention", spark_forward_kernel<kWidth, false>, blocks, tiles + a.tile_rows, stream,
                 a);
  }
}

}  // namespace

void spark_attention(const SparkAttentionInput& input, SparkAttentionShape shape, SparkAttentionRule rule,
                     const SparkAttentionSaved& saved, Stream stream) {
  const SparkArguments a = spark_arguments(input, shape, rule, saved);
  if (shape.head_width == 32) {
    run<32>(a, rule.estimator, stream);
  } else {
    run<64>(a, rule.estimator, stream);
  }
}

}  // namespace sparsescope::kernels
