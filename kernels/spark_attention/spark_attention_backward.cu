// Gradients of SPaRK's q, k and v: a block a head and 64 queries (dq, and delta for everybody), then a block
// a head and 64 keys (dk, dv). Weights are made again from the saved logarithms.
#include "kernels/spark_attention/spark_attention_launches.cuh"

namespace sparsescope::kernels {
namespace {

constexpr int kHalf = kTileRows / 2;  // of the streamed tile's rows, handled at once: fewer registers

// d_output . output of this lane's two rows; the output is soft or hard like the weights.
template <int kWidth>
__device__ void row_deltas(const Bfloat16* output, std::int64_t stride, int first, int tokens,
                           const RowFragments<kWidth>& d_output, float (&delta)[2], const Lane& lane) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int row = first + lane.row + i * 8;
    float sum = 0;
    if (row < tokens) {
      const auto* line = reinterpret_cast<const std::uint32_t*>(output + row * stride);
#pragma unroll
      for (int k = 0; k < kWidth / 16; ++k) {
#pragma unroll
        for (int side = 0; side < 2; ++side) {
          const std::uint32_t pair = line[k * 8 + side * 4 + lane.column],
                              upstream = d_output.at[k].at[side * 2 + i];
          sum = fmaf(half_of<0>(pair), half_of<0>(upstream), sum);
          sum = fmaf(half_of<1>(pair), half_of<1>(upstream), sum);
        }
      }
    }
    delta[i] = row_sum(sum);
  }
}

// What a query row needs to make its weights and their gradient again.
struct RowStatistics {
  float lse2[2], delta[2];
};

template <int kWidth, bool kSoft>
__device__ RowStatistics make_statistics(const SparkArguments& a, const HeadTile& place,
                                         const RowFragments<kWidth>& d_output, const Lane& lane) {
  RowStatistics made;
  const std::int64_t statistics = statistics_offset(a, place.sequence, place.head);
  const Bfloat16* output =
      (kSoft ? a.saved.soft_output : a.saved.output) + output_offset(a, place.sequence, place.head, kWidth);
  row_deltas<kWidth>(output, output_stride(a, kWidth), place.tile * kTileRows, a.tokens, d_output, made.delta,
                     lane);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int query = place.tile * kTileRows + lane.row + i * 8;
    const bool exists = query < a.tokens;
    made.lse2[i] = exists ? (kSoft ? a.saved.lse_soft : a.saved.lse_hard)[statistics + query] * kLog2E : 0.0f;
    if (exists && lane.column == 0) a.delta[statistics + query] = made.delta[i];
  }
  return made;
}

// d_queries += e(w) . keys over one half of a tile of keys.
template <int kWidth, bool kSoft>
__device__ void add_half(const SparkArguments& a, bool is_diagonal, int half,
                         const RowFragments<kWidth>& queries, const RowFragments<kWidth>& d_output,
                         SwizzledTile<kWidth> keys, SwizzledTile<kWidth> values, const PositionBias& bias,
                         const RowStatistics& statistics, const RowBits& bits, const RowGates& gates,
                         FragmentC (&d_queries)[kWidth / 8], const Lane& lane) {
  FragmentC logits[4] = {}, d_weights[4] = {};
  multiply_rows<kWidth, 4>(logits, queries, keys, half * kHalf, lane);
  multiply_rows<kWidth, 4>(d_weights, d_output, values, half * kHalf, lane);
#pragma unroll
  for (int block = 0; block < 4; ++block) {
    const int n = half * 4 + block;
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      float logit = fmaf(logits[block].at[e], a.scale2, bias(n, e) - statistics.lse2[e / 2]);
      bool takes_part;
      if constexpr (kSoft) {
        if (!bits.is_given(n, e)) logit = fmaf(gates(n, e), kLog2E, logit);
        takes_part = !is_diagonal || n * 8 + lane.column * 2 + e % 2 <= lane.row + e / 2 * 8;
      } else {
        takes_part = bits.in_scope(n, e);
      }
      const float weight = takes_part ? exp2_fast(logit) : 0.0f;
      logits[block].at[e] = weight * (d_weights[block].at[e] - statistics.delta[e / 2]);
    }
  }
#pragma unroll
  for (int k = 0; k < 2; ++k) {
    multiply_columns<kWidth>(d_queries, fragment_a(logits[k * 2], logits[k * 2 + 1]), keys,
                             half * kHalf + k * 16, lane);
  }
}

template <int kWidth, bool kSoft>
__global__ void __launch_bounds__(kTileThreads) spark_query_gradient_kernel(SparkArguments a) {
  extern __shared__ __align__(1024) unsigned char memory[];
  const auto query_rows = tile_at<kWidth>(memory, 0), d_output_rows = tile_at<kWidth>(memory, 1);
  const auto keys = [&](int stage) { return tile_at<kWidth>(memory, 2 + stage * 2); };
  const auto values = [&](int stage) { return tile_at<kWidth>(memory, 3 + stage * 2); };
  std::uint8_t* marks = memory + 6 * kTileBytes<kWidth>;
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
  copy_tile<kWidth>(d_output_rows, a.d_output + output_offset(a, place.sequence, place.head, kWidth),
                    output_stride(a, kWidth), place.tile * kTileRows, a.tokens);
  if constexpr (!kSoft) mark_tiles<TileAxis::Keys>(a, place.sequence, place.tile, marks);
  const auto next = [&](int tile) { return kSoft ? tile : next_marked(marks, tile, end); };

  RowFragments<kWidth> queries, d_output;
  RowStatistics statistics;
  FragmentC d_queries[kWidth / 8] = {};
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
    if (step == 0) {
      queries.load(query_rows, lane);
      d_output.load(d_output_rows, lane);
      statistics = make_statistics<kWidth, kSoft>(a, place, d_output, lane);
    }
    const PositionBias bias(slope2, place.tile * kTileRows, tile * kTileRows, lane);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (kSoft || bits.any_in_scope(half))
        add_half<kWidth, kSoft>(a, tile == place.tile, half, queries, d_output, keys(stage), values(stage),
                                bias, statistics, bits, gates, d_queries, lane);
    }
    __syncthreads();
    tile = following;
  }
  write_rows<kWidth>(a.d_qkv + qkv_offset(a, place.sequence, place.head, kWidth, kQuerySlot), stride,
                     place.tile * kTileRows, a.tokens, d_queries, a.scale, a.scale, lane);
}

// 4 bytes from global to shared memory, or zeros.
__device__ inline void copy_word(void* to, const void* from, bool exists) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(exists ? 4 : 0)
               : "memory");
}

// What a tile of queries brings along for the keys: statistics and bits by query.
struct QuerySide {
  float lse_hard[kTileRows], lse_soft[kTileRows], delta[kTileRows];
  std::uint32_t scope[2][kTileRows], direct[2][kTileRows];  // [word of 32 keys][query]
};

template <bool kSoft>
__device__ void copy_query_side(const SparkArguments& a, const HeadTile& place, int query_tile,
                                QuerySide& side) {
  const int row = int(threadIdx.x) % kTileRows, query = query_tile * kTileRows + row;
  const bool exists = query < a.tokens;
  if (int(threadIdx.x) < kTileRows) {
    const std::int64_t index = statistics_offset(a, place.sequence, place.head) + (exists ? query : 0);
    copy_word(side.lse_hard + row, a.saved.lse_hard + index, exists);
    if (kSoft) copy_word(side.lse_soft + row, a.saved.lse_soft + index, exists);
    copy_word(side.delta + row, a.delta + index, exists);
    return;
  }
#pragma unroll
  for (int w = 0; w < 2; ++w) {
    const int word = place.tile * 2 + w;
    const bool has_word = exists && word < a.words;
    const std::int64_t index =
        has_word ? (std::int64_t(place.sequence) * a.tokens + query) * a.words + word : 0;
    copy_word(side.scope[w] + row, a.scope + index, has_word);
    if (kSoft) copy_word(side.direct[w] + row, a.direct + index, has_word);
  }
}

// Log gates of a warp's 16 keys (rows) and half a tile's 32 queries.
struct KeyGates {
  std::uint32_t pairs[4][2];  // [8 queries][key row]

  __device__ void load(const SparkArguments& a, int sequence, int query_tile, int key_tile, int half,
                       const Lane& lane) {
    const std::int64_t tiles = std::int64_t(a.tile_rows) * (a.tile_rows + 1) / 2;
    const auto* tile =
        reinterpret_cast<const uint4*>(a.log_gates + pair_tile_offset(sequence, tiles, query_tile, key_tile));
#pragma unroll
    for (int group = 0; group < 2; ++group) {
      const uint4 blocks = tile[((half * 2 + group) * 4 + lane.warp) * kWarpSize + lane.index];
      pairs[group * 2][0] = transpose_matrix(blocks.x);
      pairs[group * 2][1] = transpose_matrix(blocks.z);
      pairs[group * 2 + 1][0] = transpose_matrix(blocks.y);
      pairs[group * 2 + 1][1] = transpose_matrix(blocks.w);
    }
  }
  __device__ float operator()(int n, int e) const {
    const std::uint32_t pair = pairs[n][e / 2];
    return half_of(pair, e % 2);
  }
};

template <int kWidth>
struct KeyGradients {
  FragmentC keys[kWidth / 8] = {}, values[kWidth / 8] = {};
};

// Adds half a tile of queries to a warp's 16 keys: rows are keys here, columns queries.
template <int kWidth, bool kSoft>
__device__ void add_queries(const SparkArguments& a, bool is_diagonal, int half, int distance,
                            const RowFragments<kWidth>& keys, const RowFragments<kWidth>& values,
                            SwizzledTile<kWidth> queries, SwizzledTile<kWidth> d_output,
                            const QuerySide& side, const KeyGates& gates, float slope2,
                            KeyGradients<kWidth>& sums, const Lane& lane) {
  const int shift = lane.warp % 2 * 16, word = lane.warp / 2;
  const std::uint32_t own = side.scope[word][half * kHalf + lane.index] >> shift & 0xffffu;
  const bool has_scope = __any_sync(kFullWarp, own != 0);
  if (!kSoft && !has_scope) return;
  FragmentC hard[4] = {}, d_weights[4] = {}, d_logits[4];
  multiply_rows<kWidth, 4>(hard, keys, queries, half * kHalf, lane);
  multiply_rows<kWidth, 4>(d_weights, values, d_output, half * kHalf, lane);
#pragma unroll
  for (int n = 0; n < 4; ++n) {
#pragma unroll
    for (int column = 0; column < 2; ++column) {
      const int query = half * kHalf + n * 8 + lane.column * 2 + column;
      const std::uint32_t scope = side.scope[word][query] >> (shift + lane.index / 4);
      const std::uint32_t direct = kSoft ? side.direct[word][query] >> (shift + lane.index / 4) : 0;
      const float lse_hard = side.lse_hard[query], delta = side.delta[query];
      const float lse_soft = kSoft ? side.lse_soft[query] : 0.0f;
#pragma unroll
      for (int row = 0; row < 2; ++row) {
        const int e = row * 2 + column, key = lane.row + row * 8;
        const float logit = fmaf(hard[n].at[e], a.scale2, slope2 * float(key - query + distance));
        const bool in_scope = scope >> (row * 8) & 1;
        hard[n].at[e] = in_scope ? exp2_fast(fmaf(lse_hard, -kLog2E, logit)) : 0.0f;
        float weight = hard[n].at[e];
        if constexpr (kSoft) {
          const bool is_given = in_scope && !(direct >> (row * 8) & 1);
          const float gated = is_given ? logit : fmaf(gates(n, e), kLog2E, logit);
          weight = is_diagonal && key > query ? 0.0f : exp2_fast(fmaf(lse_soft, -kLog2E, gated));
        }
        d_logits[n].at[e] = weight * (d_weights[n].at[e] - delta);
      }
    }
  }
#pragma unroll
  for (int k = 0; k < 2; ++k) {
    multiply_columns<kWidth>(sums.keys, fragment_a(d_logits[k * 2], d_logits[k * 2 + 1]), queries,
                             half * kHalf + k * 16, lane);
    if (has_scope)
      multiply_columns<kWidth>(sums.values, fragment_a(hard[k * 2], hard[k * 2 + 1]), d_output,
                               half * kHalf + k * 16, lane);
  }
}

template <int kWidth, bool kSoft>
__global__ void __launch_bounds__(kTileThreads) spark_key_gradient_kernel(SparkArguments a) {
  extern __shared__ __align__(1024) unsigned char memory[];
  // Two stages; the second first holds the block's keys and values.
  const auto queries = [&](int stage) { return tile_at<kWidth>(memory, stage * 2); };
  const auto d_output = [&](int stage) { return tile_at<kWidth>(memory, 1 + stage * 2); };
  auto* sides = reinterpret_cast<QuerySide*>(memory + 4 * kTileBytes<kWidth>);  // two
  auto* marks = reinterpret_cast<std::uint8_t*>(sides + 2);
  const Lane lane;
  const HeadTile place = this_head_tile<TileOrder::FirstFirst>(a);
  const std::int64_t stride = qkv_stride(a, kWidth);
  const auto source = [&](QkvSlot slot) {
    return a.qkv + qkv_offset(a, place.sequence, place.head, kWidth, slot);
  };
  const Bfloat16* upstream = a.d_output + output_offset(a, place.sequence, place.head, kWidth);
  const auto copy_queries = [&](int tile, int stage) {
    copy_tile<kWidth>(queries(stage), source(kQuerySlot), stride, tile * kTileRows, a.tokens);
    copy_tile<kWidth>(d_output(stage), upstream, output_stride(a, kWidth), tile * kTileRows, a.tokens);
    copy_query_side<kSoft>(a, place, tile, sides[stage]);
  };
  const int end = a.tile_rows;
  copy_tile<kWidth>(queries(1), source(kKeySlot), stride, place.tile * kTileRows, a.tokens);
  copy_tile<kWidth>(d_output(1), source(kValueSlot), stride, place.tile * kTileRows, a.tokens);
  commit_copies();
  if constexpr (!kSoft) mark_tiles<TileAxis::Queries>(a, place.sequence, place.tile, marks);
  const auto next = [&](int tile) { return kSoft ? tile : next_marked(marks, tile, end); };
  int tile = next(place.tile);
  copy_queries(tile, 0);
  commit_copies();
  wait_copies<1>();
  __syncthreads();
  RowFragments<kWidth> keys, values;
  keys.load(queries(1), lane);
  values.load(d_output(1), lane);
  __syncthreads();

  KeyGradients<kWidth> sums;
  const float slope2 = slope2_of(a, place.head);
  for (int step = 0; tile < end; ++step) {
    const int following = next(tile + 1), stage = step % 2;
    if (following < end) copy_queries(following, stage ^ 1);
    commit_copies();
    wait_copies<1>();
    __syncthreads();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      KeyGates gates;
      if constexpr (kSoft) gates.load(a, place.sequence, tile, place.tile, half, lane);
      add_queries<kWidth, kSoft>(a, tile == place.tile, half, (place.tile - tile) * kTileRows, keys, values,
                                 queries(stage), d_output(stage), sides[stage], gates, slope2, sums, lane);
    }
    __syncthreads();
    tile = following;
  }
  write_rows<kWidth>(a.d_qkv + qkv_offset(a, place.sequence, place.head, kWidth, kKeySlot), stride,
                     place.tile * kTileRows, a.tokens, sums.keys, a.scale, a.scale, lane);
  write_rows<kWidth>(a.d_qkv + qkv_offset(a, place.sequence, place.head, kWidth, kValueSlot), stride,
                     place.tile * kTileRows, a.tokens, sums.values, 1, 1, lane);
}

template <int kWidth, bool kSoft>
void run(const SparkArguments& a, Stream stream) {
  const std::int64_t blocks = std::int64_t(a.batch) * a.heads * a.tile_rows;
  const std::size_t marks = kSoft ? 0 : a.tile_rows, tile = kTileBytes<kWidth>;
  launch_tiles("the query pass of spark_attention_backward", spark_query_gradient_kernel<kWidth, kSoft>,
               blocks, 6 * tile + marks, stream, a);
  launch_tiles("the key pass of spark_attention_backward", spark_key_gradient_kernel<kWidth, kSoft>, blocks,
               4 * tile + 2 * sizeof(QuerySide) + marks, stream, a);
}

}  // namespace

void spark_qkv_gradients(const SparkArguments& a, int head_width, SparkEstimator estimator, Stream stream) {
  const bool is_soft = estimator == SparkEstimator::Surrogate;
  if (head_width == 32) {
    is_soft ? run<32, true>(a, stream) : run<32, false>(a, stream);
  } else {
    is_soft ? run<64, true>(a, stream) : run<64, false>(a, stream);
  }
}

}  // namespace sparsescope::kernels
