// Embedding on the GPU. The gradient takes equal segments of sorted places, whatever their ids, so that a
// frequent id is no straggler.
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kSegmentThreads = 64;                // small blocks spread few threads over all SMs
constexpr int kRowsAtOnce = 8, kPartsAtOnce = 16;  // loads a thread has on their way

template <int kWidth>
__global__ void __launch_bounds__(kThreads) embed_kernel(const float* __restrict__ table, TokenIds ids,
                                                         std::uint32_t packs, float* __restrict__ output) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x, n = i / packs;
  if (n >= ids.count()) return;
  const Pack<kWidth> values = load<kWidth>(table + (ids[n] * packs + i % packs) * kWidth);
  store<kWidth>(output + std::int64_t(i) * kWidth, values);
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

// Tokens and ids of a batch of places; behind `end` the last one again.
__device__ void load_places(const std::int32_t* __restrict__ order,
                            const std::int32_t* __restrict__ sorted_ids, int first, int end,
                            std::int32_t (&tokens)[kRowsAtOnce], std::int32_t (&ids)[kRowsAtOnce]) {
#pragma unroll
  for (int k = 0; k < kRowsAtOnce; ++k) {
    const int place = min(first + k, end - 1);
    tokens[k] = order[place];
    ids[k] = sorted_ids[place];
  }
}

// One thread: one segment, one pack of columns. scratch [segments,2,width]: what the segment adds to an id
// that began before it (0), and to one that goes on after it (1).
template <int kWidth>
__global__ void __launch_bounds__(kSegmentThreads)
    embedding_segments_kernel(const float* __restrict__ d_rows, const std::int32_t* __restrict__ order,
                              const std::int32_t* __restrict__ sorted_ids, std::int64_t tokens,
                              std::uint32_t packs, float* __restrict__ d_table, float* __restrict__ scratch) {
  const std::uint32_t i = blockIdx.x * kSegmentThreads + threadIdx.x;
  const Segment segment = segment_at(i / packs, tokens);
  if (segment.begin >= tokens) return;
  const int column = int(i % packs) * kWidth, width = int(packs) * kWidth;
  float* border = scratch + std::int64_t(segment.index) * 2 * width + column;
  std::int32_t id = sorted_ids[segment.begin];
  bool began_before = segment.begin > 0 && sorted_ids[segment.begin - 1] == id;
  Pack<kWidth> sum = {}, table_row = {};
  std::int32_t next_tokens[kRowsAtOnce], next_ids[kRowsAtOnce];
  load_places(order, sorted_ids, segment.begin, segment.end, next_tokens, next_ids);
  for (int first = segment.begin; first < segment.end; first += kRowsAtOnce) {
    // All loads of a batch before the first branch on one of its ids. A row of the table is there when its id
    // ends: nobody else writes it.
    Pack<kWidth> rows[kRowsAtOnce], table_rows[kRowsAtOnce];
    std::int32_t ids[kRowsAtOnce];
#pragma unroll
    for (int k = 0; k < kRowsAtOnce; ++k) {
      ids[k] = next_ids[k];
      rows[k] = load<kWidth>(d_rows + std::int64_t(next_tokens[k]) * width + column);
      table_rows[k] = load<kWidth>(d_table + std::int64_t(ids[k]) * width + column);
    }
    load_places(order, sorted_ids, first + kRowsAtOnce, segment.end, next_tokens, next_ids);
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
                             const std::int32_t* __restrict__ offsets, std::int64_t tokens,
                             std::uint32_t packs, float* __restrict__ d_table) {
  const std::uint32_t i = blockIdx.x * kSegmentThreads + threadIdx.x;
  const Segment segment = segment_at(i / packs, tokens);
  if (segment.end >= tokens) return;
  const std::int32_t id = sorted_ids[segment.end - 1], begin = offsets[id], end = offsets[id + 1];
  if (begin < segment.begin || end <= segment.end) return;
  const int column = int(i % packs) * kWidth, width = int(packs) * kWidth;
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
  const std::uint32_t packs = std::uint32_t(width / kWidth);
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
           ids, std::uint32_t(width / 4), output);
  } else {
    launch("embed", embed_kernel<1>, divide_up(ids.count() * width, kThreads), kThreads, stream, table, ids,
           std::uint32_t(width), output);
  }
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
