// Cross-entropy with its gradient on the GPU. A row of up to 8192 logits lives in the registers of a warp or
// a block between its one read and its one write; longer rows are read twice. Sums run in a fixed order.
#include "kernels/common/block_reduce.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/cross_entropy/cross_entropy.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kWideThreads = 1024;  // rows that no registers hold, and sums over a batch
constexpr std::int64_t kHeldRow = 8192;

// The lanes of a warp that share a row: all, or this half.
template <int kLanes>
__device__ inline unsigned row_mask() {
  static_assert(kLanes == kWarpSize || kLanes == kWarpSize / 2);
  return kLanes == kWarpSize ? kFullWarp : 0xffffu << (threadIdx.x & 16);
}

template <int kLanes>
__device__ inline float row_max(float value) {
#pragma unroll
  for (int offset = kLanes / 2; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(row_mask<kLanes>(), value, offset));
  return value;
}

template <int kLanes>
__device__ inline float row_sum(float value) {
#pragma unroll
  for (int offset = kLanes / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(row_mask<kLanes>(), value, offset);
  return value;
}

// exp(value - largest) where both may be -inf: 0 then.
__device__ inline float exp_below(float value, float largest) {
  return largest == -INFINITY ? 0.0f : __expf(value - largest);
}

// Softmax of what some threads have seen: exp(x) summed relative to the largest, and whether one was not
// finite.
struct Softmax {
  float largest, sum;
  bool has_non_finite;
};

// The same over the warps of a block, in the order of warps. Every thread returns it.
template <int kWarps>
__device__ Softmax over_block(Softmax of_warp) {
  __shared__ Softmax shared[kWarps];
  if (threadIdx.x % kWarpSize == 0) shared[threadIdx.x / kWarpSize] = of_warp;
  __syncthreads();
  Softmax row = shared[0];
#pragma unroll
  for (int warp = 1; warp < kWarps; ++warp) {
    row.largest = fmaxf(row.largest, shared[warp].largest);
    row.has_non_finite |= shared[warp].has_non_finite;
  }
  row.sum = 0;
#pragma unroll
  for (int warp = 0; warp < kWarps; ++warp)
    row.sum += shared[warp].sum * exp_below(shared[warp].largest, row.largest);
  return row;
}

// What one thread of the row writes.
__device__ void write_nll(const Softmax& row, float target_logit, std::int64_t index,
                          const CrossEntropyOutput& output) {
  output.nll[index] = logf(row.sum) + (row.largest - target_logit);
  if (row.has_non_finite) atomicAdd(output.non_finite, 1);  // integers: the order does not matter
}

// kRowThreads neighbouring threads (half a warp, a warp or the block) hold a row, kElements values each.
template <typename Logit, int kRowThreads, int kElements, int kWidth>
__global__ void __launch_bounds__(kThreads)
    cross_entropy_kernel(const Logit* logits, CrossEntropyChunk chunk, const float* inverse_count,
                         CrossEntropyOutput output) {
  constexpr int kPacks = kElements / kWidth, kLanes = kRowThreads < kWarpSize ? kRowThreads : kWarpSize;
  const std::int64_t index = std::int64_t(blockIdx.x) * (kThreads / kRowThreads) + threadIdx.x / kRowThreads;
  if (index >= chunk.rows) return;
  const int lane = threadIdx.x % kRowThreads, vocabulary = int(chunk.vocabulary);
  const Logit* row_logits = logits + index * vocabulary;
  Bfloat16* d_row = output.d_logits + index * vocabulary;
  // Logits and target are on their way together.
  Pack<kWidth> x[kPacks];
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int column = (p * kRowThreads + lane) * kWidth;
#pragma unroll
    for (float& value : x[p].at) value = -INFINITY;
    if (column < vocabulary) x[p] = load<kWidth>(row_logits + column);
  }
  const float scale = *inverse_count;
  const int target = int(chunk.targets[chunk.first + index]);
  if (target == kIgnoredTarget) {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int column = (p * kRowThreads + lane) * kWidth;
      if (column < vocabulary) store<kWidth>(d_row + column, Pack<kWidth>{});
    }
    if (lane == 0) output.nll[index] = 0;
    return;
  }
  // Its owner reads it before anything is written, because d_logits may be the logits.
  const bool owns_target = target / kWidth % kRowThreads == lane;
  const float target_logit = owns_target ? load<1>(row_logits + target).at[0] : 0.0f;
  float largest = -INFINITY, not_a_number = 0;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const bool exists = (p * kRowThreads + lane) * kWidth < vocabulary;
#pragma unroll
    for (float value : x[p].at) {
      if (exists) not_a_number = fmaf(value, 0.0f, not_a_number);
      largest = fmaxf(largest, value);
    }
  }
  Softmax row = {row_max<kLanes>(largest), 0, __any_sync(row_mask<kLanes>(), not_a_number != 0.0f) != 0};
  // Lanes without values: any finite number makes their exponentials zero.
  const float warp_largest = row.largest, base = warp_largest == -INFINITY ? 0.0f : warp_largest;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
#pragma unroll
    for (float& value : x[p].at) {
      value = __expf(value - base);
      row.sum += value;
    }
  }
  row.sum = row_sum<kLanes>(row.sum);
  if constexpr (kRowThreads > kWarpSize) row = over_block<kRowThreads / kWarpSize>(row);
  const float factor = exp_below(warp_largest, row.largest) / row.sum * scale;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int column = (p * kRowThreads + lane) * kWidth;
#pragma unroll
    for (float& value : x[p].at) value *= factor;
    if (column < vocabulary) store<kWidth>(d_row + column, x[p]);
  }
  if (!owns_target) return;
  // Over what this thread has just written.
  const float share = exp_below(target_logit, row.largest) / row.sum;
  store<1>(d_row + target, Pack<1>{(share - 1.0f) * scale});
  write_nll(row, target_logit, index, output);
}

// A block a row of any length.
template <typename Logit>
__global__ void __launch_bounds__(kWideThreads)
    wide_cross_entropy_kernel(const Logit* logits, CrossEntropyChunk chunk, const float* inverse_count,
                              CrossEntropyOutput output) {
  const std::int64_t index = blockIdx.x, vocabulary = chunk.vocabulary;
  const Logit* row_logits = logits + index * vocabulary;
  Bfloat16* d_row = output.d_logits + index * vocabulary;
  const std::int64_t target = chunk.targets[chunk.first + index];
  if (target == kIgnoredTarget) {
    for (std::int64_t c = threadIdx.x; c < vocabulary; c += kWideThreads) store<1>(d_row + c, Pack<1>{});
    if (threadIdx.x == 0) output.nll[index] = 0;
    return;
  }
  // Before anything is written, because d_logits may be the logits.
  const float target_logit = load<1>(row_logits + target).at[0];
  float largest = -INFINITY, sum = 0, not_a_number = 0;
  for (std::int64_t c = threadIdx.x; c < vocabulary; c += kWideThreads) {
    const float value = load<1>(row_logits + c).at[0], before = largest;
    not_a_number = fmaf(value, 0.0f, not_a_number);
    largest = fmaxf(largest, value);
    sum = sum * exp_below(before, largest) + exp_below(value, largest);
  }
  const float warp_largest = row_max<kWarpSize>(largest);
  const Softmax row =
      over_block<kWideThreads / kWarpSize>({warp_largest, warp_sum(sum * exp_below(largest, warp_largest)),
                                            __any_sync(kFullWarp, not_a_number != 0.0f) != 0});
  const float scale = *inverse_count, factor = 1 / row.sum;
  for (std::int64_t c = threadIdx.x; c < vocabulary; c += kWideThreads) {
    const float share = exp_below(load<1>(row_logits + c).at[0], row.largest) * factor;
    store<1>(d_row + c, Pack<1>{(share - (c == target ? 1.0f : 0.0f)) * scale});
  }
  if (threadIdx.x == 0) write_nll(row, target_logit, index, output);
}

__global__ void __launch_bounds__(kWideThreads)
    count_targets_kernel(TokenIds targets, float* inverse_count, std::int32_t* non_finite) {
  __shared__ std::int32_t shared[kWideThreads / kWarpSize];
  std::int32_t predicted = 0;
#pragma unroll 8
  for (std::int64_t n = threadIdx.x; n < targets.count(); n += kWideThreads)
    predicted += targets[n] != kIgnoredTarget;
  predicted = block_sum<kWideThreads>(predicted, shared);
  if (threadIdx.x != 0) return;
  *inverse_count = predicted == 0 ? 0.0f : 1.0f / float(predicted);
  *non_finite = 0;
}

__global__ void __launch_bounds__(kWideThreads)
    mean_nll_kernel(const float* nll, std::int64_t rows, const float* inverse_count, float* loss) {
  __shared__ double shared[kWideThreads / kWarpSize];
  double sum = 0;
#pragma unroll 8
  for (std::int64_t r = threadIdx.x; r < rows; r += kWideThreads) sum += nll[r];
  sum = block_sum<kWideThreads>(sum, shared);
  if (threadIdx.x == 0) *loss = float(sum * *inverse_count);
}

// One call with everything a launch needs.
template <typename Logit>
struct Call {
  const Logit* logits;
  CrossEntropyChunk chunk;
  const float* inverse_count;
  CrossEntropyOutput output;
  Stream stream;

  template <int kRowThreads, int kElements, int kWidth>
  void run() const {
    launch("cross_entropy", cross_entropy_kernel<Logit, kRowThreads, kElements, kWidth>,
           divide_up(chunk.rows, kThreads / kRowThreads), kThreads, stream, logits, chunk, inverse_count,
           output);
  }

  // The smallest holding that takes the row.
  template <int kWidth>
  void run_held() const {
    const std::int64_t vocabulary = chunk.vocabulary;
    constexpr int kHalf = kWarpSize / 2;
    if (vocabulary <= 4 * kHalf) return run<kHalf, 4, kWidth>();
    if (vocabulary <= 8 * kHalf) return run<kHalf, 8, kWidth>();
    if (vocabulary <= 16 * kHalf) return run<kHalf, 16, kWidth>();
    if (vocabulary <= 16 * kWarpSize) return run<kWarpSize, 16, kWidth>();
    if (vocabulary <= 32 * kWarpSize) return run<kWarpSize, 32, kWidth>();
    if (vocabulary <= 8 * kThreads) return run<kThreads, 8, kWidth>();
    if (vocabulary <= 16 * kThreads) return run<kThreads, 16, kWidth>();
    static_assert(kHeldRow == 32 * kThreads);
    run<kThreads, 32, kWidth>();
  }

  void run_any() const {
    if (chunk.vocabulary > kHeldRow) {
      launch("cross_entropy", wide_cross_entropy_kernel<Logit>, chunk.rows, kWideThreads, stream, logits,
             chunk, inverse_count, output);
    } else if (chunk.vocabulary % 4 == 0) {
      run_held<4>();
    } else {
      run_held<1>();
    }
  }
};

}  // namespace

void count_targets(TokenIds targets, float* inverse_count, std::int32_t* non_finite, Stream stream) {
  launch("count_targets", count_targets_kernel, 1, kWideThreads, stream, targets, inverse_count, non_finite);
}

void cross_entropy(const float* logits, CrossEntropyChunk chunk, const float* inverse_count,
                   CrossEntropyOutput output, Stream stream) {
  Call<float>{logits, chunk, inverse_count, output, stream}.run_any();
}

void cross_entropy(const Bfloat16* logits, CrossEntropyChunk chunk, const float* inverse_count,
                   CrossEntropyOutput output, Stream stream) {
  Call<Bfloat16>{logits, chunk, inverse_count, output, stream}.run_any();
}

void mean_nll(const float* nll, std::int64_t rows, const float* inverse_count, float* loss, Stream stream) {
  launch("mean_nll", mean_nll_kernel, 1, kWideThreads, stream, nll, rows, inverse_count, loss);
}

}  // namespace sparsescope::kernels
