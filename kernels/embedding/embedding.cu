// Embedding on the GPU. Grouping: each block owns a few ids, reads all tokens and keeps its own in order, so
// that one launch without atomics does it. Gradient: equal segments of sorted places, whatever their ids, so
// that a frequent id is no straggler.
#include <algorithm>

#include "kernels/common/block_reduce.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kSegmentThreads = 64;                // small blocks spread few threads over all SMs
constexpr int kRowsAtOnce = 8, kPartsAtOnce = 16;  // loads a thread has on their way
constexpr int kSortThreads = 1024, kSortWarps = kSortThreads / kWarpSize;
constexpr int kSortRows = 16;  // ids a thread holds
constexpr std::int64_t kSortTile = std::int64_t(kSortThreads) * kSortRows;
constexpr std::int64_t kSortMaxIds = 1024;  // a block owns
constexpr std::int32_t kNoId = INT32_MAX;
constexpr std::int64_t kSortBlocks = 264;  // two on each of 132 SMs; more ids a block when there are more

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    embed_kernel(const float* __restrict__ table, TokenIds ids, int packs, float* __restrict__ output) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x, n = i / packs;
  if (n >= ids.count()) return;
  const Pack<kWidth> values = load<kWidth>(table + (ids[n] * packs + i % packs) * kWidth);
  store<kWidth>(output + i * kWidth, values);
}

__device__ inline std::uint32_t lanes_below(int lane) { return (1u << lane) - 1; }

// The ids of a tile of tokens in registers: those of a warp stand together, in rows of 32.
using TileIds = std::int32_t[kSortRows];

__device__ void load_tile(const TokenIds& ids, std::int64_t first, TileIds& tile) {
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int k = 0; k < kSortRows; ++k) {
    const std::int64_t n = first + (warp * kSortRows + k) * kWarpSize + lane;
    tile[k] = n < ids.count() ? std::int32_t(ids[n]) : kNoId;
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
    std::int32_t place = end;
    for (int other = 0; other < kSortWarps; ++other) {
      if (other < warp) place += inside[other];
      end += inside[other];
    }
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

struct Segment {
  std::int32_t index, begin, end;
};

__device__ Segment segment_at(std::int64_t index, std::int64_t tokens) {
  const std::int64_t begin = index * kEmbeddingSegment;
  return {std::int32_t(index), std::int32_t(begin), std::int32_t(min(begin + kEmbeddingSegment, tokens))};
}

template <int kWidth>
__device__ Pack<kWidth> sum_of(const Pack<kWidth>& a, const Pack<kWidth>& b) {
  Pack<kWidth> sum;
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sum.at[i] = a.at[i] + b.at[i];
  return sum;
}

// One thread: one segment, one pack of columns. scratch [segments,2,width]: what the segment adds to an id
// that began before it (0), and to one that goes on after it (1).
template <int kWidth>
__global__ void __launch_bounds__(kSegmentThreads)
    embedding_segments_kernel(const float* __restrict__ d_rows, const std::int32_t* __restrict__ order,
                              const std::int32_t* __restrict__ sorted_ids, std::int64_t tokens, int packs,
                              float* __restrict__ d_table, float* __restrict__ scratch) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kSegmentThreads + threadIdx.x;
  const Segment segment = segment_at(i / packs, tokens);
  if (segment.begin >= tokens) return;
  const int column = int(i % packs) * kWidth, width = packs * kWidth;
  float* border = scratch + std::int64_t(segment.index) * 2 * width + column;
  std::int32_t id = sorted_ids[segment.begin];
  bool began_before = segment.begin > 0 && sorted_ids[segment.begin - 1] == id;
  Pack<kWidth> sum = {}, table_row = {};
  for (int first = segment.begin; first < segment.end; first += kRowsAtOnce) {
    // All loads of a batch before the first branch on one of its ids. A row of the table is there when its id
    // ends: nobody else writes it.
    Pack<kWidth> rows[kRowsAtOnce], table_rows[kRowsAtOnce];
    std::int32_t ids[kRowsAtOnce];
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k) {
      const int place = min(first + k, segment.end - 1);
      ids[k] = sorted_ids[place];
      rows[k] = load<kWidth>(d_rows + std::int64_t(order[place]) * width + column);
    }
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k)
      table_rows[k] = load<kWidth>(d_table + std::int64_t(ids[k]) * width + column);
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k) {
      if (first + k >= segment.end) break;
      if (ids[k] != id) {
        if (began_before) {
          store<kWidth>(border, sum);
        } else {
          store<kWidth>(d_table + std::int64_t(id) * width + column, sum_of(table_row, sum));
        }
        began_before = false;
        id = ids[k];
        sum = {};
      }
      table_row = table_rows[k];
      sum = sum_of(sum, rows[k]);
    }
  }
  const bool goes_on = segment.end < tokens && sorted_ids[segment.end] == id;
  if (began_before) {
    store<kWidth>(border, sum);
  } else if (goes_on) {
    store<kWidth>(border + width, sum);
  } else {
    store<kWidth>(d_table + std::int64_t(id) * width + column, sum_of(table_row, sum));
  }
}

// Same threads: where an id begins in this segment and goes on, its parts are added in order of place.
template <int kWidth>
__global__ void __launch_bounds__(kSegmentThreads)
    embedding_borders_kernel(const float* __restrict__ scratch, const std::int32_t* __restrict__ sorted_ids,
                             const std::int32_t* __restrict__ offsets, std::int64_t tokens, int packs,
                             float* __restrict__ d_table) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kSegmentThreads + threadIdx.x;
  const Segment segment = segment_at(i / packs, tokens);
  if (segment.end >= tokens) return;
  const std::int32_t id = sorted_ids[segment.end - 1], begin = offsets[id], end = offsets[id + 1];
  if (begin < segment.begin || end <= segment.end) return;
  const int column = int(i % packs) * kWidth, width = packs * kWidth;
  const int last = (end - 1) / int(kEmbeddingSegment);
  float* const table_row = d_table + std::int64_t(id) * width + column;
  const Pack<kWidth> before = load<kWidth>(table_row);
  Pack<kWidth> sum = load<kWidth>(scratch + (std::int64_t(segment.index) * 2 + 1) * width + column);
  for (int first = segment.index + 1; first <= last; first += kPartsAtOnce) {
    Pack<kWidth> parts[kPartsAtOnce];
#pragma unroll
    for (int k = 0; k < kPartsAtOnce; ++k)
      parts[k] = load<kWidth>(scratch + std::int64_t(min(first + k, last)) * 2 * width + column);
#pragma unroll
    for (int k = 0; k < kPartsAtOnce; ++k) {
      if (first + k <= last) sum = sum_of(sum, parts[k]);
    }
  }
  store<kWidth>(table_row, sum_of(before, sum));
}

template <int kWidth>
void backward(const float* d_rows, IdGroups groups, std::int64_t tokens, std::int64_t width, float* d_table,
              float* scratch, Stream stream) {
  const int packs = int(width / kWidth);
  const std::int64_t blocks = divide_up(divide_up(tokens, kEmbeddingSegment) * packs, kSegmentThreads);
  launch("embedding_backward", embedding_segments_kernel<kWidth>, blocks, kSegmentThreads, stream, d_rows,
         static_cast<const std::int32_t*>(groups.order), static_cast<const std::int32_t*>(groups.sorted_ids),
         tokens, packs, d_table, scratch);
  launch("the borders of embedding_backward", embedding_borders_kernel<kWidth>, blocks, kSegmentThreads,
         stream, static_cast<const float*>(scratch), static_cast<const std::int32_t*>(groups.sorted_ids),
         static_cast<const std::int32_t*>(groups.offsets), tokens, packs, d_table);
}

}  // namespace

void embed(const float* table, TokenIds ids, std::int64_t width, float* output, Stream stream) {
  if (width % 4 == 0) {
    launch("embed", embed_kernel<4>, divide_up(ids.count() * (width / 4), kThreads), kThreads, stream, table,
           ids, int(width / 4), output);
  } else {
    launch("embed", embed_kernel<1>, divide_up(ids.count() * width, kThreads), kThreads, stream, table, ids,
           int(width), output);
  }
}

void sort_ids(TokenIds ids, std::int64_t vocabulary, IdGroups groups, std::int64_t* scratch, Stream stream) {
  const std::int64_t ids_per_block = std::min(divide_up(vocabulary, kSortBlocks), kSortMaxIds);
  launch("sort_ids", sort_ids_kernel, divide_up(vocabulary, ids_per_block), kSortThreads, stream, ids,
         std::int32_t(vocabulary), std::int32_t(ids_per_block), groups, scratch);
}

void embedding_backward(const float* d_rows, IdGroups groups, std::int64_t tokens, std::int64_t width,
                        float* d_table, float* scratch, Stream stream) {
  if (width % 4 == 0) {
    backward<4>(d_rows, groups, tokens, width, d_table, scratch, stream);
  } else {
    backward<1>(d_rows, groups, tokens, width, d_table, scratch, stream);
  }
}

}  // namespace sparsescope::kernels
