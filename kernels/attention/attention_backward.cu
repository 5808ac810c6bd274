// Gradient of attention on the GPU. Short contexts: one block a head holds q, k, v and d_out; its warps first
// walk their queries over the keys, then their keys over the queries, without a barrier between. Longer ones:
// the two walks are two launches, and tiles come in a ring. Logits are computed twice, which costs two
// products of seven and saves every exchange between warps.
#include <type_traits>

#include "kernels/attention/attention_block.cuh"
#include "kernels/attention/gradient_rows.cuh"

namespace sparsescope::kernels {
namespace {

extern __shared__ __align__(1024) unsigned char shared_bytes[];

// deltas[row] = out . d_out for `rows` rows of a tile; rows past the sequence get zero. Of d_out in shared
// memory a thread reads what its own copies brought: copy_tile_async gives it the same packs. Loads of
// `output` are under way before all but kOpen groups of copies are waited for.
template <int kWidth, int kThreads, int kOpen>
__device__ void compute_deltas(const Bfloat16* output, SwizzledTile<kWidth> d_outputs, std::int64_t stride,
                               int rows, int existing, float* deltas) {
  constexpr int kPacks = kWidth / 8, kRowsAStep = kThreads / kPacks, kAtOnce = 8;
  const int first = threadIdx.x / kPacks, part = threadIdx.x % kPacks;
  const Bfloat16* source = output + first * stride + part * 8;
  for (int start = first; start < rows + first; start += kAtOnce * kRowsAStep) {
    uint4 words[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      words[i] = make_uint4(0, 0, 0, 0);
      if (start + i * kRowsAStep < existing) words[i] = __ldg(reinterpret_cast<const uint4*>(source));
      source += kRowsAStep * stride;
    }
    wait_copies<kOpen>();
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int row = start + i * kRowsAStep;
      if (row - first >= rows) break;
      const Pack<8> gradient = load<8>(static_cast<const Bfloat16*>(
          __cvta_shared_to_generic(d_outputs.address + d_outputs.offset(min(row, rows - 1), part))));
      const std::uint32_t out[4] = {words[i].x, words[i].y, words[i].z, words[i].w};
      float sum = 0;
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        float low, high;
        unpack(out[k], low, high);
        sum = fmaf(low, gradient.at[2 * k], fmaf(high, gradient.at[2 * k + 1], sum));
      }
#pragma unroll
      for (int offset = kPacks / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, offset);
      if (part == 0 && row < rows) deltas[row] = sum;
    }
  }
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
  float* const lse = reinterpret_cast<float*>(shared_bytes + 4 * tile_bytes);
  float* const deltas = lse + padded;
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  // The first round of queries needs the first rows only; the others arrive meanwhile.
  const int early = min(kWarps * QueryRows::kRows, padded);
  auto copy_rows = [&](int first, int count) {
    copy_head_async<kWidth, kThreads>(
        {queries, keys, values, d_outputs},
        {qkv, qkv + place.part, qkv + 2 * place.part, arrays.d_output + place.output},
        {place.qkv_stride, place.qkv_stride, place.qkv_stride, place.output_stride}, first, count, tokens);
  };
  auto prepare_rows = [&](int first, int end) {
    __syncthreads();
    if (settings.rotary.cosines == nullptr) return;
    turn_tiles<kWidth, kThreads>({queries.from_row(first), keys.from_row(first)}, min(end, tokens) - first,
                                 first, settings.rotary);
    __syncthreads();
  };
  auto add_deltas = [&]<int kOpen>(std::integral_constant<int, kOpen>, int first, int end) {
    compute_deltas<kWidth, kThreads, kOpen>(arrays.output + place.output + first * place.output_stride,
                                            d_outputs.from_row(first), place.output_stride, end - first,
                                            tokens - first, deltas + first);
  };
  copy_values_async<kThreads>(lse, arrays.lse + place.row, padded, tokens);
  copy_rows(0, early);
  commit_copies();
  copy_rows(early, padded - early);
  commit_copies();
  const float slope = slope_of_head(settings, place.head);
  add_deltas(std::integral_constant<int, 1>{}, 0, early);
  prepare_rows(0, early);
  const int warp = threadIdx.x / 32;
  Bfloat16* const d_qkv = arrays.d_qkv + place.qkv;
  for (int round = 0; round * kWarps * QueryRows::kRows < padded; ++round) {
    if (round == 1) {
      add_deltas(std::integral_constant<int, 0>{}, early, padded);
      prepare_rows(early, padded);
    }
    const int first_query = unit_of_warp(round, warp, kWarps) * QueryRows::kRows;
    if (first_query >= tokens) continue;
    QueryRows rows(settings, slope, queries, d_outputs, lse + first_query, deltas + first_query, first_query,
                   first_query);
    walk_keys<QueryRows::kChunk>(rows, keys, values, 0, padded, first_query, settings.window);
    rows.finish(d_qkv + first_query * place.qkv_stride, place.qkv_stride);
  }
  for (int round = 0; round * kWarps * KeyRows::kRows < padded; ++round) {
    const int first_key = unit_of_warp(round, warp, kWarps) * KeyRows::kRows;
    if (first_key >= tokens) continue;
    KeyRows rows(settings, slope, keys, values, first_key, first_key);
    walk_queries(rows, queries, d_outputs, lse, deltas, 0, padded, first_key, settings.window);
    rows.finish(d_qkv + place.part + first_key * place.qkv_stride,
                d_qkv + 2 * place.part + first_key * place.qkv_stride, place.qkv_stride);
  }
}

inline int padded_tokens(AttentionShape shape) { return int(divide_up(shape.tokens, 32)) * 32; }
// Shared memory of one block of the kernel above.
template <int kWidth>
int head_bytes(AttentionShape shape) {
  return 4 * SwizzledTile<kWidth>::bytes(padded_tokens(shape)) +
         2 * padded_tokens(shape) * int(sizeof(float));
}

// Whether one block should hold a head: short contexts, where a block may have so much shared memory.
template <int kWidth>
bool goes_by_head(AttentionShape shape) {
  if (shape.tokens > kAttentionShortTokens) return false;
  int device = 0, limit = 0;
  check_cuda(cudaGetDevice(&device), "the gradient of attention");
  check_cuda(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
             "the gradient of attention");
  return head_bytes<kWidth>(shape) <= limit;
}

template <int kWidth, int kQueryTiles, int kKeyTiles, int kWarps, int kBlocks, bool kAlibi>
void launch_head(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                 Stream stream) {
  launch_with_shared("the gradient of attention of short contexts",
                     attention_head_backward_kernel<kWidth, kQueryTiles, kKeyTiles, kWarps, kBlocks, kAlibi>,
                     shape.batch * shape.heads, kWarps * 32, head_bytes<kWidth>(shape), stream, arrays,
                     settings, padded_tokens(shape));
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
  auto keys_of = [&](int tile) {
    return Tile{base + Tile::bytes(2 * kQueries + tile % kStages * 2 * kKeys)};
  };
  float* const lse = reinterpret_cast<float*>(shared_bytes + Tile::bytes(2 * kQueries + kStages * 2 * kKeys));
  float* const deltas = lse + kQueries;
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  const int begin = max(0, first_query - settings.window + 1) / kKeys;
  const int end = (min(first_query + kQueries, tokens) + kKeys - 1) / kKeys;
  // A group of copies a tile, also past the end: groups are counted.
  auto copy_keys = [&](int tile) {
    if (tile < end) {
      const Bfloat16* from = qkv + std::int64_t(tile) * kKeys * place.qkv_stride + place.part;
      copy_tile_async<kWidth, kThreads>(keys_of(tile), from, place.qkv_stride, kKeys, tokens - tile * kKeys);
      copy_tile_async<kWidth, kThreads>(keys_of(tile).from_row(kKeys), from + place.part, place.qkv_stride,
                                        kKeys, tokens - tile * kKeys);
    }
    commit_copies();
  };
  const bool turns = settings.rotary.cosines != nullptr;
  const std::int64_t output = place.output + first_query * place.output_stride;
  copy_tile_async<kWidth, kThreads>(queries, qkv + first_query * place.qkv_stride, place.qkv_stride, kQueries,
                                    existing);
  copy_tile_async<kWidth, kThreads>(d_outputs, arrays.d_output + output, place.output_stride, kQueries,
                                    existing);
  copy_values_async<kThreads>(lse, arrays.lse + place.row + first_query, kQueries, existing);
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) copy_keys(begin + stage);
  compute_deltas<kWidth, kThreads, kStages - 2>(arrays.output + output, d_outputs, place.output_stride,
                                                kQueries, existing, deltas);
  __syncthreads();
  for (int i = threadIdx.x; i < min(kQueries, existing); i += kThreads)
    arrays.scratch[place.row + first_query + i] = deltas[i];
  if (turns) {
    turn_tiles<kWidth, kThreads>({queries}, min(kQueries, existing), first_query, settings.rotary);
    __syncthreads();
  }
  const int row = threadIdx.x / 32 * Rows::kRows;
  Rows rows(settings, slope_of_head(settings, place.head), queries, d_outputs, lse + row, deltas + row, row,
            first_query + row);
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
  auto queries_of = [&](int tile) {
    return Tile{base + Tile::bytes(2 * kKeys + tile % kStages * 2 * kQueries)};
  };
  auto lse_of = [&](int tile) {
    return reinterpret_cast<float*>(shared_bytes + Tile::bytes(2 * kKeys + kStages * 2 * kQueries)) +
           tile % kStages * 2 * kQueries;
  };
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  const int begin = first_key / kQueries;
  const int end = (min(first_key + kKeys - 1 + settings.window, tokens) + kQueries - 1) / kQueries;
  auto copy_queries = [&](int tile) {
    if (tile < end) {
      const int first = tile * kQueries, existing = tokens - first;
      copy_tile_async<kWidth, kThreads>(queries_of(tile), qkv + first * place.qkv_stride, place.qkv_stride,
                                        kQueries, existing);
      copy_tile_async<kWidth, kThreads>(queries_of(tile).from_row(kQueries),
                                        arrays.d_output + place.output + first * place.output_stride,
                                        place.output_stride, kQueries, existing);
      copy_values_async<kThreads>(lse_of(tile), arrays.lse + place.row + first, kQueries, existing);
      copy_values_async<kThreads>(lse_of(tile) + kQueries, arrays.scratch + place.row + first, kQueries,
                                  existing);
    }
    commit_copies();
  };
  const bool turns = settings.rotary.cosines != nullptr;
  const std::int64_t first = place.part + first_key * place.qkv_stride;
  copy_tile_async<kWidth, kThreads>(keys, qkv + first, place.qkv_stride, kKeys, tokens - first_key);
  copy_tile_async<kWidth, kThreads>(values, qkv + first + place.part, place.qkv_stride, kKeys,
                                    tokens - first_key);
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) copy_queries(begin + stage);
  wait_copies<kStages - 2>();
  __syncthreads();
  if (turns) {
    turn_tiles<kWidth, kThreads>({keys}, min(kKeys, tokens - first_key), first_key, settings.rotary);
    __syncthreads();
  }
  const int row = threadIdx.x / 32 * Rows::kRows;
  Rows rows(settings, slope_of_head(settings, place.head), keys, values, row, first_key + row);
  for (int tile = begin; tile < end; ++tile) {
    if (tile > begin) {
      wait_copies<kStages - 2>();
      __syncthreads();
    }
    copy_queries(tile + kStages - 1);
    const Tile queries = queries_of(tile), d_outputs = queries.from_row(kQueries);
    if (turns) {
      turn_tiles<kWidth, kThreads>({queries}, min(kQueries, tokens - tile * kQueries), tile * kQueries,
                                   settings.rotary);
      __syncthreads();
    }
    walk_queries(rows, queries, d_outputs, lse_of(tile), lse_of(tile) + kQueries, tile * kQueries, kQueries,
                 first_key + row, settings.window);
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
  launch_with_shared(
      "the gradient of attention's queries",
      attention_query_gradient_kernel<kWidth, kQueryTiles, kWarps, kQueryBlocks, kAlibi>,
      head_count * divide_up(shape.tokens, kQueries), kWarps * 32,
      SwizzledTile<kWidth>::bytes(2 * kQueries + kStages * 2 * 64) + 2 * kQueries * int(sizeof(float)),
      stream, arrays, settings, int(head_count));
  launch_with_shared(
      "the gradient of attention's keys",
      attention_key_gradient_kernel<kWidth, kKeyTiles, kWarps, kKeyBlocks, kAlibi>,
      head_count * divide_up(shape.tokens, kKeys), kWarps * 32,
      SwizzledTile<kWidth>::bytes(2 * kKeys + kStages * 2 * 64) + kStages * 2 * 64 * int(sizeof(float)),
      stream, arrays, settings, int(head_count));
}

template <int kWidth, bool kAlibi>
void launch_width(const AttentionBackward& arrays, AttentionShape shape, const AttentionSettings& settings,
                  Stream stream) {
  // The fastest of those tried on an H100 at (B, H, T) = (64, 6, 256), (16, 6, 1024) and (4, 8, 4096).
  if constexpr (kWidth == 32) {
    if (goes_by_head<kWidth>(shape))
      return launch_head<kWidth, 2, 2, 4, 3, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 2, 4, 4, 3, kAlibi>(arrays, shape, settings, stream);
  } else if constexpr (kWidth == 64) {
    if (goes_by_head<kWidth>(shape))
      return launch_head<kWidth, 2, 2, 8, 1, kAlibi>(arrays, shape, settings, stream);
    launch_tiles<kWidth, 2, 2, 4, 2, 2, kAlibi>(arrays, shape, settings, stream);
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
