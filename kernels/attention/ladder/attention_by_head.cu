// A study version of the forward pass: one block a head holds q, k and v whole, its warps take their queries
// to and fro and no barrier follows the loads. Every key is loaded once, where blocks of 64 queries load it
// up to four times; but all blocks of an SM load at the same time and compute at the same time, and 96 KB of
// shared memory at D = 64 leave two blocks an SM. H100, (B, H, T) = (64, 6, 256), medians of 7 in one run: D
// = 32 21.2 us against 18.9 of attention(), D = 64 36.1 against 27.7.
#include "kernels/attention/attention_block.cuh"
#include "kernels/attention/forward_rows.cuh"
#include "kernels/attention/ladder/attention_by_head.h"

namespace sparsescope::kernels {
namespace {

extern __shared__ __align__(1024) unsigned char shared_bytes[];

template <int kWidth, int kWarps, int kBlocks>
__global__ void __launch_bounds__(kWarps * 32, kBlocks)
    attention_by_head_kernel(AttentionForward arrays, __grid_constant__ const AttentionSettings settings,
                             int padded) {
  constexpr int kChunk = 32, kThreads = kWarps * 32;
  using Rows = ForwardRows<kWidth, 1, kChunk, false>;
  using Tile = SwizzledTile<kWidth>;
  const HeadPlace<kWidth> place(settings, blockIdx.x);
  const std::uint32_t base = shared_address(shared_bytes);
  const Tile queries{base}, keys{base + Tile::bytes(padded)}, values{base + 2 * Tile::bytes(padded)};
  const Bfloat16* qkv = arrays.qkv + place.qkv;
  copy_head_async<kWidth, kThreads>({queries, keys, values}, {qkv, qkv + place.part, qkv + 2 * place.part},
                                    {place.qkv_stride, place.qkv_stride, place.qkv_stride}, 0, padded,
                                    settings.tokens);
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  const int warp = threadIdx.x / 32;
  for (int round = 0; round * kWarps * Rows::kRows < padded; ++round) {
    const int first_query = unit_of_warp(round, warp, kWarps) * Rows::kRows;
    if (first_query >= settings.tokens) continue;
    Rows rows(settings, 0.0f, queries, first_query, first_query);
    walk_keys<kChunk>(rows, keys, values, 0, padded, first_query, settings.window);
    rows.finish(arrays.output + place.output + first_query * place.output_stride, place.output_stride,
                arrays.lse + place.row + first_query);
  }
}

template <int kWidth, int kWarps, int kBlocks>
void launch_head(const AttentionForward& arrays, AttentionShape shape, const AttentionSettings& settings,
                 Stream stream) {
  const int padded = int(divide_up(shape.tokens, 32)) * 32;
  launch_with_shared("attention by head", attention_by_head_kernel<kWidth, kWarps, kBlocks>,
                     shape.batch * shape.heads, kWarps * 32, 3 * SwizzledTile<kWidth>::bytes(padded), stream,
                     arrays, settings, padded);
}

}  // namespace

void attention_by_head(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule,
                       Stream stream) {
  if (shape.tokens > 256 || rule.slopes != nullptr || rule.rotary.cosines != nullptr ||
      (shape.head_width != 32 && shape.head_width != 64))
    throw std::runtime_error("attention by head knows D 32 and 64, up to 256 tokens, and no positions");
  const AttentionSettings settings = settings_of(shape, rule);
  if (shape.head_width == 32)
    launch_head<32, 8, 3>(arrays, shape, settings, stream);
  else
    launch_head<64, 8, 2>(arrays, shape, settings, stream);
}

}  // namespace sparsescope::kernels
