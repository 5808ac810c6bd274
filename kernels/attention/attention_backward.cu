// Gradient of attention on the GPU. Short contexts: one block a head holds q, k, v and d_out; its warps first
// walk their queries over the keys, then their keys over the queries, without a barrier between. Longer ones:
// the two walks are two launches, and tiles come in a ring. Logits are computed twice, which costs two
// products of seven and saves every exchange between warps.
#include "kernels/attention/attention_block.cuh"

namespace sparsescope::kernels {
namespace {

extern __shared__ __align__(1024) unsigned char shared_bytes[];

// deltas[row] = out . d_out for the rows of a tile in global memory; rows past the sequence get zero.
template <int kWidth, int kThreads>
__device__ void compute_deltas(const Bfloat16* output, const Bfloat16* d_output, std::int64_t stride,
                               int rows, int existing, float* deltas) {
  constexpr int kPacks = kWidth / 8;
#pragma unroll 4
  for (int i = threadIdx.x; i < rows * kPacks; i += kThreads) {
    const int row = i / kPacks, part = i % kPacks;
    float sum = 0;
    if (row < existing) {
      const std::int64_t at = row * stride + part * 8;
      const Pack<8> out = load<8>(output + at), gradient = load<8>(d_output + at);
#pragma unroll
      for (int k = 0; k < 8; ++k) sum = fmaf(out.at[k], gradient.at[k], sum);
    }
#pragma unroll
    for (int offset = kPacks / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, offset);
    if (part == 0) deltas[row] = sum;
  }
}

// To base 2, infinite past the sequence: such queries weigh nothing.
template <int kThreads>
__device__ void copy_lse(const float* lse, int rows, int existing, float* lse_log2) {
  for (int i = threadIdx.x; i < rows; i += kThreads) lse_log2[i] = i < existing ? lse[i] * kLog2E : INFINITY;
}

template <int kWidth, int kQueryTiles, int kKeyTiles, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_head_backward_kernel(AttentionBackward arrays,
                                   __grid_constant__ const AttentionSettings settings, int padded) {
  using QueryRows = QueryGradientRows<kWidth, kQueryTiles, kAlibi>;
  using KeyRows = KeyGradientRows<kWidth, kKeyTiles, kAlibi>;
  using Tile = SwizzledTile<kWidth>;
  constexpr int kThreads = kWarps * 32;
  const HeadPlace<kWidth> place(settings, blockIdx.x);
  const int tokens = settings.tokens, tile_bytes = Tile::bytes(padded);
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile queries{base}, keys{base + tile_bytes}, values{base + 2 * tile_bytes},
      d_outputs{base + 3 * tile_bytes};
  float* const lse_log2 = reinterpret_cast<float*>(shared_bytes + 4 * tile_bytes);
  float* const deltas = lse_log2 + padded;
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  copy_tile_async<kWidth, kThreads>(queries, qkv, place.qkv_stride, padded, tokens);
  copy_tile_async<kWidth, kThreads>(keys, qkv + place.part, place.qkv_stride, padded, tokens);
  copy_tile_async<kWidth, kThreads>(values, qkv + 2 * place.part, place.qkv_stride, padded, tokens);
  copy_tile_async<kWidth, kThreads>(d_outputs, arrays.d_output + place.output, place.output_stride, padded,
                                    tokens);
  commit_copies();
  copy_lse<kThreads>(arrays.lse + place.row, padded, tokens, lse_log2);
  compute_deltas<kWidth, kThreads>(arrays.output + place.output, arrays.d_output + place.output,
                                   place.output_stride, padded, tokens, deltas);
  const float slope = slope_of_head(settings, place.head);
  wait_copies<0>();
  __syncthreads();
  if (settings.rotary.cosines != nullptr) {
    turn_tiles<kWidth, kThreads>({queries, keys}, tokens, 0, settings.rotary);
    __syncthreads();
  }
  const int warp = threadIdx.x / 32;
  Bfloat16* const d_qkv = arrays.d_qkv + place.qkv;
  for (int round = 0; round * kWarps * QueryRows::kRows < padded; ++round) {
    const int first_query = unit_of_warp(round, warp, kWarps) * QueryRows::kRows;
    if (first_query >= tokens) continue;
    QueryRows rows(settings, slope, queries, d_outputs, lse_log2 + first_query, deltas + first_query,
                   first_query, first_query);
    walk_keys<QueryRows::kChunk>(rows, keys, values, 0, padded, first_query, settings.window);
    rows.finish(d_qkv + first_query * place.qkv_stride, place.qkv_stride);
  }
  for (int round = 0; round * kWarps * KeyRows::kRows < padded; ++round) {
    const int first_key = unit_of_warp(round, warp, kWarps) * KeyRows::kRows;
    if (first_key >= tokens) continue;
    KeyRows rows(settings, slope, keys, values, first_key, first_key);
    walk_queries(rows, queries, d_outputs, lse_log2, deltas, 0, padded, first_key, settings.window);
    rows.finish(d_qkv + place.part + first_key * place.qkv_stride,
                d_qkv + 2 * place.part + first_key * place.qkv_stride, place.qkv_stride);
  }
}

template <int kWidth, int kQueryTiles, int kKeyTiles, int kWarps, int kBlocks, bool kAlibi>
void launch_head(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                 Stream stream) {
  const int padded = int(divide_up(shape.tokens, 32)) * 32;
  launch_with_shared("the gradient of attention of short contexts",
                     attention_head_backward_kernel<kWidth, kQueryTiles, kKeyTiles, kWarps, kBlocks, kAlibi>,
                     shape.batch * shape.heads, kWarps * 32,
                     4 * SwizzledTile<kWidth>::bytes(padded) + 2 * padded * int(sizeof(float)), stream,
                     arrays, settings, padded);
}

// Gradient of q, and the deltas for the kernel after it.
template <int kWidth, int kTiles, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_query_gradient_kernel(AttentionBackward arrays,
                                    __grid_constant__ const AttentionSettings settings, int head_count) {
  using Rows = QueryGradientRows<kWidth, kTiles, kAlibi>;
  using Tile = SwizzledTile<kWidth>;
  constexpr int kThreads = kWarps * 32, kQueries = kWarps * Rows::kRows, kKeys = 64;
  const int query_tiles = gridDim.x / head_count, query_tile = query_tiles - 1 - blockIdx.x / head_count;
  const HeadPlace<kWidth> place(settings, blockIdx.x % head_count);
  const int first_query = query_tile * kQueries, tokens = settings.tokens, existing = tokens - first_query;
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile queries{base}, d_outputs{base + Tile::bytes(kQueries)};
  constexpr int kFirstSlot = 2 * kQueries;
  auto ring_tile = [&](int slot) { return Tile{base + Tile::bytes(kFirstSlot + slot * kKeys)}; };
  float* const lse_log2 = reinterpret_cast<float*>(shared_bytes + Tile::bytes(kFirstSlot + 4 * kKeys));
  float* const deltas = lse_log2 + kQueries;
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  auto copy_keys = [&](int tile) {
    const std::int64_t first = std::int64_t(tile) * kKeys * place.qkv_stride;
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2), qkv + place.part + first, place.qkv_stride,
                                      kKeys, tokens - tile * kKeys);
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2 + 1), qkv + 2 * place.part + first,
                                      place.qkv_stride, kKeys, tokens - tile * kKeys);
  };
  const bool turns = settings.rotary.cosines != nullptr;
  const int begin = max(0, first_query - settings.window + 1) / kKeys;
  const int end = (min(first_query + kQueries, tokens) + kKeys - 1) / kKeys;
  const std::int64_t output = place.output + first_query * place.output_stride;
  copy_tile_async<kWidth, kThreads>(queries, qkv + first_query * place.qkv_stride, place.qkv_stride, kQueries,
                                    existing);
  copy_tile_async<kWidth, kThreads>(d_outputs, arrays.d_output + output, place.output_stride, kQueries,
                                    existing);
  copy_keys(begin);
  commit_copies();
  copy_lse<kThreads>(arrays.lse + place.row + first_query, kQueries, existing, lse_log2);
  compute_deltas<kWidth, kThreads>(arrays.output + output, arrays.d_output + output, place.output_stride,
                                   kQueries, existing, deltas);
  wait_copies<0>();
  __syncthreads();
  for (int i = threadIdx.x; i < min(kQueries, existing); i += kThreads)
    arrays.scratch[place.row + first_query + i] = deltas[i];
  if (turns) {
    turn_tiles<kWidth, kThreads>({queries}, min(kQueries, existing), first_query, settings.rotary);
    __syncthreads();
  }
  const int row = threadIdx.x / 32 * Rows::kRows;
  Rows rows(settings, slope_of_head(settings, place.head), queries, d_outputs, lse_log2 + row, deltas + row,
            row, first_query + row);
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
    walk_keys<Rows::kChunk>(rows, keys, values, tile * kKeys, kKeys, first_query + row, settings.window);
  }
  if (first_query + row < tokens)
    rows.finish(arrays.d_qkv + place.qkv + (first_query + row) * place.qkv_stride, place.qkv_stride);
}

// Gradients of k and v.
template <int kWidth, int kTiles, int kWarps, int kBlocks, bool kAlibi>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_key_gradient_kernel(AttentionBackward arrays,
                                  __grid_constant__ const AttentionSettings settings, int head_count) {
  using Rows = KeyGradientRows<kWidth, kTiles, kAlibi>;
  using Tile = SwizzledTile<kWidth>;
  constexpr int kThreads = kWarps * 32, kKeys = kWarps * Rows::kRows, kQueries = 64;
  // The first keys meet the most queries.
  const HeadPlace<kWidth> place(settings, blockIdx.x % head_count);
  const int first_key = blockIdx.x / head_count * kKeys, tokens = settings.tokens;
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile keys{base}, values{base + Tile::bytes(kKeys)};
  constexpr int kFirstSlot = 2 * kKeys;
  auto ring_tile = [&](int slot) { return Tile{base + Tile::bytes(kFirstSlot + slot * kQueries)}; };
  float* const row_values = reinterpret_cast<float*>(shared_bytes + Tile::bytes(kFirstSlot + 4 * kQueries));
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  auto copy_queries = [&](int tile) {
    const int first = tile * kQueries, existing = tokens - first;
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2), qkv + first * place.qkv_stride,
                                      place.qkv_stride, kQueries, existing);
    copy_tile_async<kWidth, kThreads>(ring_tile(tile % 2 * 2 + 1),
                                      arrays.d_output + place.output + first * place.output_stride,
                                      place.output_stride, kQueries, existing);
    float* const slot = row_values + tile % 2 * 2 * kQueries;
    copy_lse<kThreads>(arrays.lse + place.row + first, kQueries, existing, slot);
    for (int i = threadIdx.x; i < kQueries; i += kThreads)
      slot[kQueries + i] = i < existing ? arrays.scratch[place.row + first + i] : 0.0f;
  };
  const bool turns = settings.rotary.cosines != nullptr;
  const int begin = first_key / kQueries;
  const int reach = min(first_key + kKeys - 1 + settings.window, tokens);
  const int end = (reach + kQueries - 1) / kQueries;
  const std::int64_t first = place.part + first_key * place.qkv_stride;
  copy_tile_async<kWidth, kThreads>(keys, qkv + first, place.qkv_stride, kKeys, tokens - first_key);
  copy_tile_async<kWidth, kThreads>(values, qkv + first + place.part, place.qkv_stride, kKeys,
                                    tokens - first_key);
  copy_queries(begin);
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  if (turns) {
    turn_tiles<kWidth, kThreads>({keys}, min(kKeys, tokens - first_key), first_key, settings.rotary);
    __syncthreads();
  }
  const int row = threadIdx.x / 32 * Rows::kRows;
  Rows rows(settings, slope_of_head(settings, place.head), keys, values, row, first_key + row);
  for (int tile = begin; tile < end; ++tile) {
    if (tile > begin) {
      wait_copies<0>();
      __syncthreads();
    }
    if (tile + 1 < end) copy_queries(tile + 1);
    commit_copies();
    const Tile queries = ring_tile(tile % 2 * 2), d_outputs = ring_tile(tile % 2 * 2 + 1);
    if (turns) {
      turn_tiles<kWidth, kThreads>({queries}, min(kQueries, tokens - tile * kQueries), tile * kQueries,
                                   settings.rotary);
      __syncthreads();
    }
    const float* const slot = row_values + tile % 2 * 2 * kQueries;
    walk_queries(rows, queries, d_outputs, slot, slot + kQueries, tile * kQueries, kQueries, first_key + row,
                 settings.window);
  }
  if (first_key + row < tokens) {
    Bfloat16* const to = arrays.d_qkv + place.qkv + place.part + (first_key + row) * place.qkv_stride;
    rows.finish(to, to + place.part, place.qkv_stride);
  }
}

template <int kWidth, int kQueryTiles, int kKeyTiles, int kWarps, int kQueryBlocks, int kKeyBlocks,
          bool kAlibi>
void launch_tiles(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  constexpr int kQueries = kWarps * 16 * kQueryTiles, kKeys = kWarps * 16 * kKeyTiles;
  const std::int64_t head_count = shape.batch * shape.heads;
  launch_with_shared("the gradient of attention's queries",
                     attention_query_gradient_kernel<kWidth, kQueryTiles, kWarps, kQueryBlocks, kAlibi>,
                     head_count * divide_up(shape.tokens, kQueries), kWarps * 32,
                     SwizzledTile<kWidth>::bytes(2 * kQueries + 4 * 64) + 2 * kQueries * int(sizeof(float)),
                     stream, arrays, settings, int(head_count));
  launch_with_shared("the gradient of attention's keys",
                     attention_key_gradient_kernel<kWidth, kKeyTiles, kWarps, kKeyBlocks, kAlibi>,
                     head_count * divide_up(shape.tokens, kKeys), kWarps * 32,
                     SwizzledTile<kWidth>::bytes(2 * kKeys + 4 * 64) + 4 * 64 * int(sizeof(float)), stream,
                     arrays, settings, int(head_count));
}

template <int kWidth, bool kAlibi>
void launch_width(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  if constexpr (kWidth == 32) {
    if (shape.tokens <= kAttentionShortTokens)
      return launch_head<kWidth, 2, 2, 4, 3, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 2, 4, 4, 3, kAlibi>(arrays, shape, settings, stream);
  } else if constexpr (kWidth == 64) {
    launch_tiles<kWidth, 2, 1, 4, 3, 3, kAlibi>(arrays, shape, settings, stream);
  } else {
    launch_tiles<kWidth, 1, 1, 4, 2, 2, kAlibi>(arrays, shape, settings, stream);
  }
}

template <int kWidth>
void launch_width(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  if (settings.slopes == nullptr)
    launch_width<kWidth, false>(arrays, shape, settings, stream);
  else
    launch_width<kWidth, true>(arrays, shape, settings, stream);
}

}  // namespace

void attention_backward(const AttentionBackward& arrays, AttentionShape shape, const AttentionRule& rule,
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
