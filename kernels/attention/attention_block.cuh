// What forward and backward blocks share: where a head lies in memory, which keys and queries a warp's rows
// meet, and the launch. For the .cu files of attention.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/attention/attention_rows.cuh"
#include "kernels/common/launch.h"

namespace sparsescope::kernels {

// Contexts up to here count as short: one block holds a head in the backward pass.
inline constexpr int kAttentionShortTokens = 256;
// Tiles of a ring. Three were no faster at any size.
inline constexpr int kStages = 2;

// Offsets of head `index` = b H + h, in values.
template <int kWidth>
struct HeadPlace {
  int head;                 // h
  std::int64_t qkv;         // of q at token 0; k and v follow every `part`
  std::int64_t part;        // H D
  std::int64_t output;      // of the output at token 0
  std::int64_t row;         // of lse and deltas at token 0
  std::int64_t qkv_stride;  // from one token to the next
  std::int64_t output_stride;

  __device__ HeadPlace(const AttentionSettings& settings, int index) {
    const std::int64_t tokens = settings.tokens, batch = index / settings.heads;
    head = index % settings.heads;
    part = std::int64_t(settings.heads) * kWidth;
    output_stride = part;
    qkv_stride = 3 * part;
    qkv = batch * tokens * qkv_stride + head * kWidth;
    output = batch * tokens * output_stride + head * kWidth;
    row = index * tokens;
  }
};

// Shows `rows`, whose first query is first_query, the keys it sees among those of two tiles; the tiles' first
// key is a multiple of kChunk.
template <int kChunk, typename Rows, typename Tile>
__device__ void walk_keys(Rows& rows, Tile keys, Tile values, int first_key, int key_count, int first_query,
                          int window) {
  const int last_query = first_query + Rows::kRows - 1;
  const int begin = max(first_key, (first_query - window + 1) / kChunk * kChunk);
  const int end = min(first_key + key_count, last_query + 1);
  for (int key = begin; key < end; key += kChunk) {
    const bool some_hidden = key + kChunk - 1 > first_query || last_query - key >= window;
    if (some_hidden)
      rows.template add_keys<Pairs::SomeHidden>(keys, values, key - first_key, key);
    else
      rows.template add_keys<Pairs::All>(keys, values, key - first_key, key);
  }
}

// The same for keys that meet queries; lse and deltas belong to the tiles' rows.
template <typename Rows, typename Tile>
__device__ void walk_queries(Rows& rows, Tile queries, Tile d_outputs, const float* lse, const float* deltas,
                             int first_query, int query_count, int first_key, int window) {
  const int last_key = first_key + Rows::kRows - 1;
  const int begin = max(first_query, first_key);
  const int end = min(first_query + query_count, last_key + window);
  for (int query = begin; query < end; query += Rows::kChunk) {
    const bool some_hidden = query < last_key || query + Rows::kChunk - 1 - first_key >= window;
    if (some_hidden)
      rows.template add_queries<Pairs::SomeHidden>(queries, d_outputs, lse, deltas, query - first_query,
                                                   query);
    else
      rows.template add_queries<Pairs::All>(queries, d_outputs, lse, deltas, query - first_query, query);
  }
}

// Starts to copy rows [first, first + rows) of one head into tiles. Tokens are the outer loop: all parts of a
// token lie near each other, and memory likes them at the same time.
template <int kWidth, int kThreads, int kCount>
__device__ void copy_head_async(const SwizzledTile<kWidth> (&tiles)[kCount],
                                const Bfloat16* const (&from)[kCount], const std::int64_t (&strides)[kCount],
                                int first, int rows, int tokens) {
  constexpr int kRowsAtOnce = kThreads / SwizzledTile<kWidth>::kPacks,
                kStep = kRowsAtOnce > 32 ? kRowsAtOnce : 32;
  for (int row = first; row < first + rows; row += kStep) {
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      copy_tile_async<kWidth, kThreads>(tiles[i].from_row(row), from[i] + row * strides[i], strides[i],
                                        min(kStep, first + rows - row), tokens - row);
  }
}

// Unit of rows that `warp` takes in its `round`: to and fro, so that rows with many and with few keys meet in
// one warp.
__device__ inline int unit_of_warp(int round, int warp, int warps) {
  return round * warps + (round % 2 == 0 ? warp : warps - 1 - warp);
}

inline AttentionSettings settings_of(AttentionShape shape, const AttentionRule& rule) {
  if (rule.window < 1)
    throw std::runtime_error("attention wants a window of at least one key, not " +
                             std::to_string(rule.window));
  if (!(rule.scale > 0)) throw std::runtime_error("attention wants a scale above zero");
  if (shape.tokens > INT32_MAX / 4 || shape.heads > INT32_MAX / 4)
    throw std::runtime_error("attention counts tokens and heads in 29 bits");
  AttentionSettings settings;
  settings.tokens = int(shape.tokens);
  settings.heads = int(shape.heads);
  settings.window = int(rule.window < shape.tokens ? rule.window : shape.tokens);
  settings.scale = rule.scale;
  settings.scale_log2 = rule.scale * kLog2E;
  settings.headroom = 8 / settings.scale_log2;
  settings.slopes = rule.slopes;
  settings.rotary = rule.rotary;
  return settings;
}

// As launch(), with dynamic shared memory.
template <typename... Parameters, typename... Arguments>
void launch_with_shared(const char* what, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
                        int shared_bytes, Stream stream, Arguments... arguments) {
  if (blocks == 0) return;
  if (blocks > INT32_MAX)
    throw std::runtime_error(std::string(what) + ": " + std::to_string(blocks) +
                             " blocks are more than a grid holds");
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes), what);
  kernel<<<dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)), shared_bytes, stream>>>(
      arguments...);
  check_cuda(cudaGetLastError(), what);
}

[[noreturn]] inline void refuse_width(std::int64_t width) {
  throw std::runtime_error("attention has kernels for heads of 16, 32, 64 and 128 channels, not " +
                           std::to_string(width));
}

}  // namespace sparsescope::kernels
