// Attention forward on the GPU. Short contexts: one block a head, which holds all of q, k and v; longer ones:
// one block a tile of queries, keys and values come in a ring of tiles.
#include "kernels/attention/attention_block.cuh"

namespace sparsescope::kernels {
namespace {

extern __shared__ __align__(1024) unsigned char shared_bytes[];

// kTiles: 16-row tiles of a warp; kChunk: keys of one softmax step; kBlocks: blocks that should share an SM.
template <int kWidth, int kTiles, int kChunk, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_head_kernel(AttentionForward arrays, __grid_constant__ const AttentionSettings settings,
                          int padded) {
  using Rows = ForwardRows<kWidth, kTiles, kChunk, kAlibi>;
  using Tile = SwizzledTile<kWidth>;
  constexpr int kThreads = kWarps * 32;
  const HeadPlace<kWidth> place(settings, blockIdx.x);
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile queries{base}, keys{base + Tile::bytes(padded)}, values{base + 2 * Tile::bytes(padded)};
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  copy_tile_async<kWidth, kThreads>(queries, qkv, place.qkv_stride, padded, settings.tokens);
  copy_tile_async<kWidth, kThreads>(keys, qkv + place.part, place.qkv_stride, padded, settings.tokens);
  commit_copies();
  copy_tile_async<kWidth, kThreads>(values, qkv + 2 * place.part, place.qkv_stride, padded, settings.tokens);
  commit_copies();
  const float slope = slope_of_head(settings, place.head);
  if (settings.rotary.cosines != nullptr) {
    wait_copies<1>();
    __syncthreads();
    turn_tiles<kWidth, kThreads>({queries, keys}, settings.tokens, 0, settings.rotary);
  }
  wait_copies<0>();
  __syncthreads();
  const int warp = threadIdx.x / 32, units = padded / Rows::kRows;
  for (int round = 0; round * kWarps < units; ++round) {
    const int unit = unit_of_warp(round, warp, kWarps);
    if (unit >= units) continue;
    const int first_query = unit * Rows::kRows;
    if (first_query >= settings.tokens) continue;
    Rows rows(settings, slope, queries, first_query, first_query);
    walk_keys<kChunk>(rows, keys, values, 0, padded, first_query, settings.window);
    rows.finish(arrays.output + place.output + first_query * place.output_stride, place.output_stride,
                arrays.lse + place.row + first_query);
  }
}

template <int kWidth, int kTiles, int kChunk, int kWarps, int kBlocks, bool kAlibi>
void launch_head(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                 Stream stream) {
  constexpr int kUnit = kChunk > 32 ? kChunk : 32;
  const int padded = int(divide_up(shape.tokens, kUnit)) * kUnit;
  launch_with_shared("attention of short contexts",
                     attention_head_kernel<kWidth, kTiles, kChunk, kWarps, kBlocks, kAlibi>,
                     shape.batch * shape.heads, kWarps * 32, 3 * SwizzledTile<kWidth>::bytes(padded), stream,
                     arrays, settings, padded);
}

template <int kWidth, int kTiles, int kChunk, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_tile_kernel(AttentionForward arrays, __grid_constant__ const AttentionSettings settings,
                          int head_count) {
  using Rows = ForwardRows<kWidth, kTiles, kChunk, kAlibi>;
  using Tile = SwizzledTile<kWidth>;
  constexpr int kThreads = kWarps * 32, kQueries = kWarps * Rows::kRows, kKeys = 64;
  // Tiles with many keys start first.
  const int query_tiles = gridDim.x / head_count, query_tile = query_tiles - 1 - blockIdx.x / head_count;
  const HeadPlace<kWidth> place(settings, blockIdx.x % head_count);
  const int first_query = query_tile * kQueries, tokens = settings.tokens;
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile queries{base};
  auto ring_tile = [&](int slot) { return Tile{base + Tile::bytes(kQueries + slot * kKeys)}; };
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  auto copy_keys = [&](int tile) {
    const std::int64_t first = std::int64_t(tile) * kKeys * place.qkv_stride;
    const int existing = tokens - tile * kKeys;
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2), qkv + place.part + first, place.qkv_stride,
                                      kKeys, existing);
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2 + 1), qkv + 2 * place.part + first,
                                      place.qkv_stride, kKeys, existing);
  };
  const bool turns = settings.rotary.cosines != nullptr;
  const int begin = max(0, first_query - settings.window + 1) / kKeys;
  const int end = (min(first_query + kQueries, tokens) + kKeys - 1) / kKeys;
  copy_tile_async<kWidth, kThreads>(queries, qkv + first_query * place.qkv_stride, place.qkv_stride, kQueries,
                                    tokens - first_query);
  copy_keys(begin);
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  if (turns) {
    turn_tiles<kWidth, kThreads>({queries}, min(kQueries, tokens - first_query), first_query,
                                 settings.rotary);
    __syncthreads();
  }
  const int row = threadIdx.x / 32 * Rows::kRows;
  Rows rows(settings, slope_of_head(settings, place.head), queries, row, first_query + row);
  for (int tile = begin; tile < end; ++tile) {
    if (tile > begin) {
      wait_copies<0>();
      __syncthreads();
    }
    if (tile + 1 < end) copy_keys(tile + 1);
    commit_copies();
    const Tile keys = ring_tile(tile % 2 * 2), values = ring_tile(tile % 2 * 2 + 1);
    if (turns) {
      turn_tiles<kWidth, kThreads>({keys}, min(kKeys, tokens - tile * kKeys), tile * kKeys, settings.rotary);
      __syncthreads();
    }
    walk_keys<kChunk>(rows, keys, values, tile * kKeys, kKeys, first_query + row, settings.window);
  }
  if (first_query + row < tokens)
    rows.finish(arrays.output + place.output + (first_query + row) * place.output_stride, place.output_stride,
                arrays.lse + place.row + first_query + row);
}

template <int kWidth, int kTiles, int kChunk, int kWarps, int kBlocks, bool kAlibi>
void launch_tiles(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  constexpr int kQueries = kWarps * 16 * kTiles;
  const std::int64_t head_count = shape.batch * shape.heads;
  launch_with_shared("attention", attention_tile_kernel<kWidth, kTiles, kChunk, kWarps, kBlocks, kAlibi>,
                     head_count * divide_up(shape.tokens, kQueries), kWarps * 32,
                     SwizzledTile<kWidth>::bytes(kQueries + 4 * 64), stream, arrays, settings,
                     int(head_count));
}

template <int kWidth, bool kAlibi>
void launch_width(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  if constexpr (kWidth == 32) {
    if (shape.tokens <= kAttentionShortTokens)
      return launch_head<kWidth, 1, 32, 8, 3, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 32, 4, 4, kAlibi>(arrays, shape, settings, stream);
  } else if constexpr (kWidth == 64) {
    if (shape.tokens <= kAttentionShortTokens)
      return launch_head<kWidth, 1, 32, 8, 2, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 32, 4, 3, kAlibi>(arrays, shape, settings, stream);
  } else {
    launch_tiles<kWidth, 1, 32, 4, 2, kAlibi>(arrays, shape, settings, stream);
  }
}

template <int kWidth>
void launch_width(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  if (settings.slopes == nullptr)
    launch_width<kWidth, false>(arrays, shape, settings, stream);
  else
    launch_width<kWidth, true>(arrays, shape, settings, stream);
}

}  // namespace

void attention(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule,
               Stream stream) {
  if (shape.batch * shape.heads * shape.tokens == 0) return;
  const AttentionSettings settings = settings_of(shape, rule);
  switch (shape.head_width) {
    case 16:
      return launch_width<16>(arrays, shape, settings, stream);
    case 32:
      return launch_width<32>(arrays, shape, settings, stream);
    case 64:
      return launch_width<64>(arrays, shape, settings, stream);
    case 128:
      return launch_width<128>(arrays, shape, settings, stream);
    default:
      refuse_width(shape.head_width);
  }
}

}  // namespace sparsescope::kernels
