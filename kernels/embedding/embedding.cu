// Embedding on the GPU. Grouping: each block owns a few ids, reads all tokens and keeps its own in order, so
// that one launch without atomics does it. Gradient: equal segments of sorted places, whatever their ids, so
// that a frequent id is no straggler.
#include "kernels/common/launch.h"
#include "kernels/common/reduce.h"
#include "kernels/common/vector.h"
#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kSegmentThreads = 64;  // small blocks spread few threads over all SMs
constexpr int kRowsAtOnce = 8;
constexpr int kSortWarps = 32;
constexpr std::int64_t kSortBlocks = 264;  // two on each of 132 SMs; more ids a block when there are more

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    embed_kernel(const float* __restrict__ table, TokenIds ids, int packs, float* __restrict__ output) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x, n = i / packs;
  if (n >= ids.count()) return;
  const Pack<kWidth> values = load<kWidth>(table + (ids[n] * packs + i % packs) * kWidth);
  store<kWidth>(output + i * kWidth, values);
}

// A lane's walk along the tokens of its warp, 32 at a time, without a division each.
class Walk {
 public:
  __device__ Walk(const TokenIds& ids, std::int64_t begin) : ids_(ids) {
    row_ = std::uint32_t(begin) / std::uint32_t(ids.length);
    column_ = std::uint32_t(begin) % std::uint32_t(ids.length);
  }
  __device__ std::int64_t id() const { return ids_.data[row_ * ids_.stride + column_]; }
  __device__ void next() {
    for (column_ += kWarpSize; column_ >= ids_.length; column_ -= ids_.length) ++row_;
  }

 private:
  const TokenIds& ids_;
  std::int64_t row_, column_;
};

__device__ inline std::uint32_t lanes_below(int lane) { return (1u << lane) - 1; }

// Tokens of the ids first .. last-1 in order, as id << 32 | n, at their final range of places. Returns the
// range.
struct Range {
  std::int32_t begin, end;
};
__device__ Range collect(const TokenIds& ids, std::int64_t first, std::int64_t last,
                         std::int64_t* __restrict__ scratch) {
  __shared__ std::int32_t shared_below[kSortWarps], shared_inside[kSortWarps];
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  const std::int64_t count = ids.count();
  const std::int64_t share = (count + kSortWarps * kWarpSize - 1) / (kSortWarps * kWarpSize) * kWarpSize;
  const std::int64_t begin = min(warp * share, count), end = min(begin + share, count);
  std::int32_t below = 0, inside = 0;
  Walk counting(ids, begin + lane);
#pragma unroll 8
  for (std::int64_t n = begin + lane; n < end; n += kWarpSize, counting.next()) {
    const std::int64_t id = counting.id();
    below += id < first;
    inside += id >= first && id < last;
  }
  below = warp_sum(below);
  inside = warp_sum(inside);
  if (lane == 0) shared_below[warp] = below, shared_inside[warp] = inside;
  __syncthreads();
  Range range = {0, 0};
  std::int32_t place = 0;
  for (int other = 0; other < kSortWarps; ++other) {
    range.begin += shared_below[other];
    if (other < warp) place += shared_inside[other];
    range.end += shared_inside[other];
  }
  place += range.begin;
  range.end += range.begin;
  Walk placing(ids, begin + lane);
#pragma unroll 8
  for (std::int64_t n = begin + lane; n - lane < end; n += kWarpSize, placing.next()) {
    const std::int64_t id = n < end ? placing.id() : -1;
    const bool is_inside = id >= first && id < last;
    const std::uint32_t found = __ballot_sync(kFullWarp, is_inside);
    if (is_inside) scratch[place + __popc(found & lanes_below(lane))] = id << 32 | n;
    place += __popc(found);
  }
  __syncthreads();
  return range;
}

__global__ void __launch_bounds__(kSortWarps* kWarpSize)
    sort_ids_kernel(TokenIds ids, std::int64_t vocabulary, std::int64_t ids_per_block,
                    std::int32_t* __restrict__ order, std::int32_t* __restrict__ sorted_ids,
                    std::int32_t* __restrict__ offsets, std::int64_t* __restrict__ scratch) {
  const std::int64_t first = blockIdx.x * ids_per_block, last = min(first + ids_per_block, vocabulary);
  const Range range = collect(ids, first, last, scratch);
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  // A warp takes an id: how many come before it, then its own in order.
  for (std::int64_t id = first + warp; id < last; id += kSortWarps) {
    std::int32_t before = 0;
#pragma unroll 8
    for (int i = range.begin + lane; i < range.end; i += kWarpSize) before += scratch[i] >> 32 < id;
    std::int32_t place = range.begin + warp_sum(before);
    if (lane == 0) offsets[id] = place;
#pragma unroll 8
    for (int i = range.begin + lane; i - lane < range.end; i += kWarpSize) {
      const std::int64_t token = i < range.end ? scratch[i] : -1;
      const bool is_own = token >> 32 == id;
      const std::uint32_t found = __ballot_sync(kFullWarp, is_own);
      if (is_own) {
        const std::int32_t to = place + __popc(found & lanes_below(lane));
        order[to] = std::int32_t(token);
        sorted_ids[to] = std::int32_t(id);
      }
      place += __popc(found);
    }
  }
  if (last == vocabulary && threadIdx.x == 0) offsets[vocabulary] = std::int32_t(ids.count());
}

struct Segment {
  std::int32_t index, begin, end;
};

__device__ Segment segment_at(std::int64_t index, std::int64_t tokens) {
  const std::int64_t begin = index * kEmbeddingSegment;
  return {std::int32_t(index), std::int32_t(begin), std::int32_t(min(begin + kEmbeddingSegment, tokens))};
}

template <int kWidth>
__device__ void add(float* to, const Pack<kWidth>& values) {
  Pack<kWidth> sum = load<kWidth>(to);
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sum.at[i] += values.at[i];
  store<kWidth>(to, sum);
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
  Pack<kWidth> sum = {};
  for (int first = segment.begin; first < segment.end; first += kRowsAtOnce) {
    // All loads of a batch before the first branch on one of its ids.
    Pack<kWidth> rows[kRowsAtOnce];
    std::int32_t ids[kRowsAtOnce];
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k) {
      const int place = min(first + k, segment.end - 1);
      ids[k] = sorted_ids[place];
      rows[k] = load<kWidth>(d_rows + std::int64_t(order[place]) * width + column);
    }
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k) {
      if (first + k >= segment.end) break;
      if (ids[k] != id) {
        if (began_before) {
          store<kWidth>(border, sum);
        } else {
          add<kWidth>(d_table + std::int64_t(id) * width + column, sum);
        }
        began_before = false;
        id = ids[k];
        sum = {};
      }
#pragma unroll
      for (int c = 0; c < kWidth; ++c) sum.at[c] += rows[k].at[c];
    }
  }
  const bool goes_on = segment.end < tokens && sorted_ids[segment.end] == id;
  if (began_before) {
    store<kWidth>(border, sum);
  } else if (goes_on) {
    store<kWidth>(border + width, sum);
  } else {
    add<kWidth>(d_table + std::int64_t(id) * width + column, sum);
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
  Pack<kWidth> sum = load<kWidth>(scratch + (std::int64_t(segment.index) * 2 + 1) * width + column);
#pragma unroll 8
  for (int other = segment.index + 1; other <= last; ++other) {
    const Pack<kWidth> part = load<kWidth>(scratch + std::int64_t(other) * 2 * width + column);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) sum.at[k] += part.at[k];
  }
  add<kWidth>(d_table + std::int64_t(id) * width + column, sum);
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
  const std::int64_t ids_per_block = divide_up(vocabulary, kSortBlocks);
  launch("sort_ids", sort_ids_kernel, divide_up(vocabulary, ids_per_block), kSortWarps * kWarpSize, stream,
         ids, vocabulary, ids_per_block, groups.order, groups.sorted_ids, groups.offsets, scratch);
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
