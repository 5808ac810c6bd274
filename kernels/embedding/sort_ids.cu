// Tokens grouped by id on the GPU: each block owns a few ids, reads all tokens and keeps its own in order, so
// that one launch does it. What atomics there are count integers.
#include <algorithm>

#include "kernels/common/block_reduce.h"
#include "kernels/common/launch.h"
#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {
namespace {

constexpr int kSortThreads = 1024, kSortWarps = kSortThreads / kWarpSize;
static_assert(kSortWarps == kWarpSize, "a lane stands for a warp");
constexpr int kSortRows = 16;  // ids a thread holds
constexpr std::int64_t kSortTile = std::int64_t(kSortThreads) * kSortRows;
constexpr std::int64_t kSortMaxIds = 1024;  // a block owns
constexpr std::int32_t kNoId = INT32_MAX;
constexpr std::int64_t kSortBlocks = 128;  // one an SM; more ids a block when there are more

__device__ inline std::uint32_t lanes_below(int lane) { return (1u << lane) - 1; }

// The ids of a tile of tokens in registers: those of a warp stand together, in rows of 32.
using TileIds = std::int32_t[kSortRows];

// No load waits for another: the place in the batch is walked along, a division costs more than the load.
__device__ void load_tile(const TokenIds& ids, std::int64_t first, TileIds& tile) {
  const std::int64_t count = ids.count();
  std::int64_t n = first + threadIdx.x / kWarpSize * kSortRows * kWarpSize + threadIdx.x % kWarpSize;
  const std::uint32_t length = std::uint32_t(ids.length);
  std::uint32_t column = std::uint32_t(n) % length;
  const std::int64_t* row = ids.data + std::int64_t(std::uint32_t(n) / length) * ids.stride;
#pragma unroll
  for (int k = 0; k < kSortRows; ++k) {
    tile[k] = n < count ? std::int32_t(__ldg(row + column)) : kNoId;
    n += kWarpSize;
    for (column += kWarpSize; column >= length; column -= length) row += ids.stride;
  }
}

// How many tokens have a smaller id than `first`. All threads take part and return it; `tile` is left with
// the last tile.
__device__ std::int32_t count_below(const TokenIds& ids, std::int32_t first, TileIds& tile) {
  __shared__ std::int32_t shared[kSortWarps];
  std::int32_t below = 0;
  for (std::int64_t begin = 0; begin < ids.count(); begin += kSortTile) {
    load_tile(ids, begin, tile);
#pragma unroll
    for (int k = 0; k < kSortRows; ++k) below += tile[k] < first;
  }
  return block_sum<kSortThreads>(below, shared);
}

// Writes the tokens of the ids first .. last-1 in order to scratch[begin], scratch[begin + 1] .. as id << 32
// | n and counts each id in `counts`. Returns the end of the range. `tile` holds the last tile.
__device__ std::int32_t collect(const TokenIds& ids, std::int32_t first, std::int32_t last,
                                std::int32_t begin, TileIds& tile, std::int32_t* counts,
                                std::int64_t* __restrict__ scratch) {
  __shared__ std::int32_t inside[kSortWarps];
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  std::int32_t end = begin;
  for (std::int64_t tile_begin = 0; tile_begin < ids.count(); tile_begin += kSortTile) {
    if (ids.count() > kSortTile) load_tile(ids, tile_begin, tile);
    std::uint32_t found[kSortRows];
    std::int32_t warp_count = 0;
#pragma unroll
    for (int k = 0; k < kSortRows; ++k) {
      found[k] = __ballot_sync(kFullWarp, tile[k] >= first && tile[k] < last);
      warp_count += __popc(found[k]);
    }
    if (lane == 0) inside[warp] = warp_count;
    __syncthreads();
    // A lane per warp: the running sum of their counts.
    std::int32_t until = inside[lane];
#pragma unroll
    for (int offset = 1; offset < kWarpSize; offset *= 2) {
      const std::int32_t before = __shfl_up_sync(kFullWarp, until, offset);
      if (lane >= offset) until += before;
    }
    std::int32_t place = end + __shfl_sync(kFullWarp, until, warp) - warp_count;
    end += __shfl_sync(kFullWarp, until, kWarpSize - 1);
#pragma unroll
    for (int k = 0; k < kSortRows; ++k) {
      if (found[k] >> lane & 1) {
        const std::int64_t n = tile_begin + (warp * kSortRows + k) * kWarpSize + lane;
        scratch[place + __popc(found[k] & lanes_below(lane))] = std::int64_t(tile[k]) << 32 | n;
        atomicAdd(counts + (tile[k] - first), 1);  // integers: the order does not matter
      }
      place += __popc(found[k]);
    }
    __syncthreads();  // before `inside` is used again
  }
  return end;
}

// One warp writes the tokens of `id` among scratch[begin] .. scratch[end - 1] to `place` and on.
__device__ void place_id(const std::int64_t* __restrict__ scratch, std::int32_t begin, std::int32_t end,
                         std::int32_t id, std::int32_t place, std::int32_t* __restrict__ order,
                         std::int32_t* __restrict__ sorted_ids) {
  const int lane = threadIdx.x % kWarpSize;
  constexpr int kAtOnce = 8;
  for (std::int32_t first = begin; first < end; first += kAtOnce * kWarpSize) {
    std::int64_t tokens[kAtOnce];
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      const std::int32_t i = first + k * kWarpSize + lane;
      tokens[k] = i < end ? scratch[i] : std::int64_t(kNoId) << 32;
    }
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      const bool is_own = tokens[k] >> 32 == id;
      const std::uint32_t found = __ballot_sync(kFullWarp, is_own);
      if (is_own) {
        const std::int32_t to = place + __popc(found & lanes_below(lane));
        order[to] = std::int32_t(tokens[k]);
        sorted_ids[to] = id;
      }
      place += __popc(found);
    }
  }
}

__global__ void __launch_bounds__(kSortThreads)
    sort_ids_kernel(TokenIds ids, std::int32_t vocabulary, std::int32_t ids_per_block, IdGroups groups,
                    std::int64_t* scratch) {
  __shared__ std::int32_t counts[kSortMaxIds];
  const std::int32_t first = blockIdx.x * ids_per_block, last = min(first + ids_per_block, vocabulary);
  for (int i = threadIdx.x; i < last - first; i += kSortThreads) counts[i] = 0;
  TileIds tile;
  const std::int32_t begin = count_below(ids, first, tile);  // its barrier also covers `counts`
  const std::int32_t end = collect(ids, first, last, begin, tile, counts, scratch);
  for (std::int32_t id = first + threadIdx.x / kWarpSize; id < last; id += kSortWarps) {
    std::int32_t before = 0;
    for (int other = threadIdx.x % kWarpSize; other < id - first; other += kWarpSize) before += counts[other];
    const std::int32_t place = begin + warp_sum(before);
    if (threadIdx.x % kWarpSize == 0) groups.offsets[id] = place;
    if (counts[id - first] > 0) place_id(scratch, begin, end, id, place, groups.order, groups.sorted_ids);
  }
  if (last == vocabulary && threadIdx.x == 0) groups.offsets[vocabulary] = std::int32_t(ids.count());
}

}  // namespace

void sort_ids(TokenIds ids, std::int64_t vocabulary, IdGroups groups, std::int64_t* scratch, Stream stream) {
  const std::int64_t ids_per_block = std::min(divide_up(vocabulary, kSortBlocks), kSortMaxIds);
  launch("sort_ids", sort_ids_kernel, divide_up(vocabulary, ids_per_block), kSortThreads, stream, ids,
         std::int32_t(vocabulary), std::int32_t(ids_per_block), groups, scratch);
}

}  // namespace sparsescope::kernels
