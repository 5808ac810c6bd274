// What the kernels of SPaRK's attention share: arguments, a block's place, scope bits and log gates of a
// warp's rows. Device code only.
#pragma once

#include "kernels/spark_attention/spark_attention.h"
#include "kernels/spark_attention/spark_fragments.cuh"
#include "kernels/spark_scores/pair_plane.h"

namespace sparsescope::kernels {

struct SparkArguments {
  const Bfloat16* qkv;                  // [B,T,3,H,D]
  const float* slopes;                  // [H] or null
  const std::uint32_t *direct, *scope;  // [B,T,words]
  const Bfloat16* log_gates;            // plane of pairs
  SparkAttentionSaved saved;
  const Bfloat16* d_output;  // [B,T,H,D]
  float* delta;              // [B,H,T] d_output . output of the weights that dl is taken from
  Bfloat16* d_qkv;           // [B,T,3,H,D]
  int batch, tokens, heads, words, tile_rows;
  float scale, scale2;  // of q.k; the same times log2 e
};

inline SparkArguments spark_arguments(const SparkAttentionInput& input, SparkAttentionShape shape,
                                      SparkAttentionRule rule, const SparkAttentionSaved& saved) {
  if (shape.head_width != 32 && shape.head_width != 64)
    throw std::runtime_error("spark_attention has kernels for heads of 32 and 64 values, not " +
                             std::to_string(shape.head_width));
  SparkArguments a{};
  a.qkv = input.qkv;
  a.slopes = input.slopes;
  a.direct = input.direct;
  a.scope = input.scope;
  a.log_gates = input.log_gates;
  a.saved = saved;
  a.batch = int(shape.batch);
  a.tokens = int(shape.tokens);
  a.heads = int(shape.heads);
  a.words = int(scope_words(shape.tokens));
  a.tile_rows = int(divide_up(shape.tokens, kPairTile));
  a.scale = rule.scale;
  a.scale2 = rule.scale * kLog2E;
  return a;
}

// One head of one sequence, and a tile of its 64 queries or keys.
struct HeadTile {
  int sequence, head, tile;
};
// Blocks that run longest come first: the last query tiles, or the first key tiles.
enum class TileOrder { LastFirst, FirstFirst };
template <TileOrder kOrder>
__device__ inline HeadTile this_head_tile(const SparkArguments& a) {
  const int columns = a.batch * a.heads, column = int(blockIdx.x) % columns, row = int(blockIdx.x) / columns;
  return {column / a.heads, column % a.heads, kOrder == TileOrder::LastFirst ? a.tile_rows - 1 - row : row};
}

enum QkvSlot { kQuerySlot, kKeySlot, kValueSlot };
__device__ inline std::int64_t qkv_stride(const SparkArguments& a, int width) {
  return std::int64_t(3) * a.heads * width;
}
__device__ inline std::int64_t qkv_offset(const SparkArguments& a, int sequence, int head, int width,
                                          QkvSlot slot) {
  return sequence * std::int64_t(a.tokens) * qkv_stride(a, width) + (slot * a.heads + head) * width;
}
__device__ inline std::int64_t output_stride(const SparkArguments& a, int width) {
  return std::int64_t(a.heads) * width;
}
__device__ inline std::int64_t output_offset(const SparkArguments& a, int sequence, int head, int width) {
  return sequence * std::int64_t(a.tokens) * output_stride(a, width) + head * width;
}
// First of the T statistics of a head: lse, delta.
__device__ inline std::int64_t statistics_offset(const SparkArguments& a, int sequence, int head) {
  return (std::int64_t(sequence) * a.heads + head) * a.tokens;
}
__device__ inline float slope2_of(const SparkArguments& a, int head) {
  return a.slopes != nullptr ? a.slopes[head] * kLog2E : 0.0f;
}

// Bits of this lane's two rows in a tile of 64 keys, moved so that key 8 n + 2 column + e is bit
// n % 4 * 8 + e of word n / 4.
struct RowBits {
  std::uint32_t scope[2][2], direct[2][2];  // [row][word]

  __device__ void load(const SparkArguments& a, int sequence, int query_tile, int key_tile,
                       const Lane& lane) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int w = 0; w < 2; ++w) {
        const int query = query_tile * kTileRows + lane.row + i * 8, word = key_tile * 2 + w;
        const bool exists = query < a.tokens && word < a.words;
        const std::int64_t index = (std::int64_t(sequence) * a.tokens + query) * a.words + word;
        scope[i][w] = (exists ? a.scope[index] : 0) >> lane.column * 2;
        direct[i][w] = (exists ? a.direct[index] : 0) >> lane.column * 2;
      }
    }
  }
  static __device__ bool test(const std::uint32_t (&bits)[2][2], int n, int e) {
    return bits[e / 2][n / 4] >> (n % 4 * 8 + e % 2) & 1;
  }
  __device__ bool in_scope(int n, int e) const { return test(scope, n, e); }
  __device__ bool is_direct(int n, int e) const { return test(direct, n, e); }
  // Inherited, fallback or self: the soft gate of such a pair is 1.
  __device__ bool is_given(int n, int e) const { return in_scope(n, e) && !is_direct(n, e); }
  // Whether any of the warp's 16 rows has a key in scope among word `w`.
  __device__ bool any_in_scope(int w) const {
    // Rows lost the bits below their own columns; column 0 holds all of them.
    return __any_sync(kFullWarp, (scope[0][w] | scope[1][w]) != 0);
  }
};

// Log gates of a warp's 16 rows and a tile's 64 keys, as they lie in the plane.
struct RowGates {
  std::uint32_t pairs[4][4];

  __device__ void load(const SparkArguments& a, int sequence, int query_tile, int key_tile,
                       const Lane& lane) {
    const std::int64_t tiles = std::int64_t(a.tile_rows) * (a.tile_rows + 1) / 2;
    const auto* tile =
        reinterpret_cast<const uint4*>(a.log_gates + pair_tile_offset(sequence, tiles, query_tile, key_tile));
#pragma unroll
    for (int group = 0; group < 4; ++group) {
      const uint4 values = tile[(lane.warp * 4 + group) * kWarpSize + lane.index];
      pairs[group][0] = values.x;
      pairs[group][1] = values.y;
      pairs[group][2] = values.z;
      pairs[group][3] = values.w;
    }
  }
  __device__ float operator()(int n, int e) const {
    const std::uint32_t pair = pairs[n / 2][n % 2 * 2 + e / 2];
    return half_of(pair, e % 2);
  }
};

// Position bias of this lane's pairs in units of log2: slope2 * (key - query).
struct PositionBias {
  float slope2, first[2];

  __device__ PositionBias(float slope, int first_query, int first_key, const Lane& lane) : slope2(slope) {
    const float distance = float(first_key + lane.column * 2 - first_query - lane.row);
    first[0] = slope2 * distance;
    first[1] = slope2 * (distance - 8.0f);
  }
  __device__ float operator()(int n, int e) const { return fmaf(slope2, float(n * 8 + e % 2), first[e / 2]); }
};

// Marks which tiles 0 .. tile_rows-1 hold a pair in scope: of the keys for one query tile, or of the queries
// for one key tile. Ends with a barrier.
enum class TileAxis { Keys, Queries };
template <TileAxis kAxis>
__device__ void mark_tiles(const SparkArguments& a, int sequence, int own, std::uint8_t* marks) {
  const int warp = int(threadIdx.x) / kWarpSize, lane = int(threadIdx.x) % kWarpSize;
  const int begin = kAxis == TileAxis::Keys ? 0 : own, end = kAxis == TileAxis::Keys ? own + 1 : a.tile_rows;
  for (int other = begin + warp; other < end; other += kTileThreads / kWarpSize) {
    const int query_tile = kAxis == TileAxis::Keys ? own : other,
              key_tile = kAxis == TileAxis::Keys ? other : own;
    std::uint32_t bits = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int query = query_tile * kTileRows + lane + i % 2 * kWarpSize, word = key_tile * 2 + i / 2;
      if (query < a.tokens && word < a.words)
        bits |= a.scope[(std::int64_t(sequence) * a.tokens + query) * a.words + word];
    }
    const bool is_marked = __any_sync(kFullWarp, bits != 0);
    if (lane == 0) marks[other] = is_marked;
  }
  __syncthreads();
}
__device__ inline int next_marked(const std::uint8_t* marks, int tile, int end) {
  while (tile < end && !marks[tile]) ++tile;
  return tile;
}

}  // namespace sparsescope::kernels
