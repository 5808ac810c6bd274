// Attention forward on the GPU: one block a tile of queries, keys and values come in a ring of tiles. Several
// small blocks share an SM: one computes while another waits for memory.
#include "kernels/attention/attention_block.cuh"
#include "kernels/attention/forward_rows.cuh"

namespace sparsescope::kernels {
namespace {

extern __shared__ __align__(1024) unsigned char shared_bytes[];

// kTiles: 16-row tiles of a warp; kChunk: keys of one softmax step; kBlocks: blocks that should share an SM.
template <int kWidth, int kTiles, int kChunk, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_kernel(AttentionForward arrays, __grid_constant__ const AttentionSettings settings,
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
  auto keys_of = [&](int tile) { return Tile{base + Tile::bytes(kQueries + tile % kStages * 2 * kKeys)}; };
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  const int begin = max(0, first_query - settings.window + 1) / kKeys;
  const int end = (min(first_query + kQueries, tokens) + kKeys - 1) / kKeys;
  // A group of copies a tile, also past the end: groups are counted.
  auto copy_keys = [&](int tile) {
    if (tile < end) {
      const Bfloat16* from = qkv + std::int64_t(tile) * kKeys * place.qkv_stride + place.part;
      const int existing = tokens - tile * kKeys;
      copy_tile_async<kWidth, kThreads>(keys_of(tile), from, place.qkv_stride, kKeys, existing);
      copy_tile_async<kWidth, kThreads>(keys_of(tile).from_row(kKeys), from + place.part, place.qkv_stride,
                                        kKeys, existing);
    }
    commit_copies();
  };
  const bool turns = settings.rotary.cosines != nullptr;
  copy_tile_async<kWidth, kThreads>(queries, qkv + first_query * place.qkv_stride, place.qkv_stride, kQueries,
                                    tokens - first_query);
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) copy_keys(begin + stage);
  wait_copies<kStages - 2>();
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
      wait_copies<kStages - 2>();
      __syncthreads();
    }
    copy_keys(tile + kStages - 1);
    const Tile keys = keys_of(tile), values = keys.from_row(kKeys);
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
  launch_with_shared("attention", attention_kernel<kWidth, kTiles, kChunk, kWarps, kBlocks, kAlibi>,
                     head_count * divide_up(shape.tokens, kQueries), kWarps * 32,
                     SwizzledTile<kWidth>::bytes(kQueries + kStages * 2 * 64), stream, arrays, settings,
                     int(head_count));
}

template <int kWidth, bool kAlibi>
void launch_width(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  // The fastest of those tried on an H100 at (B, H, T) = (64, 6, 256), (16, 6, 1024) and (4, 8, 4096).
  const bool is_short = shape.tokens <= kAttentionShortTokens;
  if constexpr (kWidth == 32) {
    if (is_short) return launch_tiles<kWidth, 1, 32, 4, 6, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 32, 4, 4, kAlibi>(arrays, shape, settings, stream);
  } else if constexpr (kWidth == 64) {
    if (is_short) return launch_tiles<kWidth, 1, 32, 4, 4, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 64, 4, 2, kAlibi>(arrays, shape, settings, stream);
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
