// Residual addition and RMSNorm on the GPU. Rows of up to 1024 values live in the registers of a warp or half
// a warp; other rows take a block that reads them twice. Gains get their gradient by partial sums of a fixed
// number of blocks, added by a second launch: no atomics.
#include "kernels/common/block_reduce.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/rms_norm/rms_norm.h"

namespace sparsescope::kernels {
namespace {

constexpr int kWidth = 4;              // values a lane loads at once
constexpr int kForwardWarps = 8;       // warps of a block
constexpr int kBackwardWarps = 8;      // two such blocks an SM: up to 128 registers hold a row and its sums
constexpr int kBlockRowThreads = 256;  // rows that no warp holds
constexpr int kGainColumns = 32;       // columns of one block of the second launch
constexpr int kGainSlices = 8;         // its threads per column

// The lane's place: kLanes neighbouring lanes share a row and take turns along it.
template <int kLanes>
struct Place {
  std::int64_t row;
  int lane;
  __device__ int column(int pack) const { return (pack * kLanes + lane) * kWidth; }
};

template <int kLanes>
__device__ Place<kLanes> place_of(int warps) {
  const int group = threadIdx.x / kLanes, groups = warps * kWarpSize / kLanes;
  return {std::int64_t(blockIdx.x) * groups + group, int(threadIdx.x % kLanes)};
}

// Sum over the kLanes lanes of a row; every lane of the warp takes part.
template <int kLanes>
__device__ float row_sum(float value) {
#pragma unroll
  for (int offset = kLanes / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kFullWarp, value, offset);
  return value;
}

template <int kLanes, int kPacks>
__global__ void __launch_bounds__(kForwardWarps* kWarpSize)
    residual_rms_norm_kernel(RmsNormForward arrays, RmsNormShape shape, float eps) {
  const Place<kLanes> place = place_of<kLanes>(kForwardWarps);
  const int width = int(shape.width);
  const bool exists = place.row < shape.tokens;
  const std::int64_t base = place.row * width;
  Pack<kWidth> x[kPacks];
  float squares = 0;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int column = place.column(p);
    if (!exists || column >= width) continue;
    x[p] = load<kWidth>(arrays.stream_in + base + column);
    if (arrays.delta != nullptr) {
      const Pack<kWidth> delta = load<kWidth>(arrays.delta + base + column);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) x[p].at[i] += delta.at[i];
    }
#pragma unroll
    for (int i = 0; i < kWidth; ++i) squares = fmaf(x[p].at[i], x[p].at[i], squares);
  }
  const float rstd = rsqrtf(row_sum<kLanes>(squares) / float(width) + eps);
  if (!exists) return;
  if (place.lane == 0) arrays.rstd[place.row] = rstd;
  const bool writes_stream = arrays.delta != nullptr || arrays.stream_out != arrays.stream_in;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int column = place.column(p);
    if (column >= width) continue;
    if (writes_stream) store<kWidth>(arrays.stream_out + base + column, x[p]);
    const Pack<kWidth> gain = load_constant<kWidth>(arrays.gain + column);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) x[p].at[i] *= rstd * gain.at[i];
    store<kWidth>(arrays.normed + base + column, x[p]);
  }
}

// One block a row, for widths that no warp holds or that are no multiple of kWidth.
__global__ void __launch_bounds__(kBlockRowThreads)
    residual_rms_norm_block_kernel(RmsNormForward arrays, RmsNormShape shape, float eps) {
  __shared__ float shared[kBlockRowThreads / kWarpSize];
  const int width = int(shape.width);
  const std::int64_t base = blockIdx.x * shape.width;
  const bool writes_stream = arrays.delta != nullptr || arrays.stream_out != arrays.stream_in;
  float squares = 0;
  for (int c = threadIdx.x; c < width; c += kBlockRowThreads) {
    float x = arrays.stream_in[base + c];
    if (arrays.delta != nullptr) x += __bfloat162float(arrays.delta[base + c]);
    if (writes_stream) arrays.stream_out[base + c] = x;
    squares = fmaf(x, x, squares);
  }
  const float rstd = rsqrtf(block_sum<kBlockRowThreads>(squares, shared) / float(width) + eps);
  if (threadIdx.x == 0) arrays.rstd[blockIdx.x] = rstd;
  // Each thread reads what it wrote itself.
  for (int c = threadIdx.x; c < width; c += kBlockRowThreads) {
    arrays.normed[base + c] = __float2bfloat16_rn(arrays.stream_out[base + c] * rstd * arrays.gain[c]);
  }
}

// Adds the column sums of all warps of a block and writes them as the block's row of the partials.
template <int kLanes, int kPacks>
__device__ void write_gain_partials(Pack<kWidth> (&sums)[kPacks], int width, float* partials) {
  __shared__ float shared[kBackwardWarps / 2][kPacks * kLanes * kWidth];
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize, row_lane = lane % kLanes;
  if constexpr (kLanes < kWarpSize) {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sums[p].at[i] += __shfl_xor_sync(kFullWarp, sums[p].at[i], kLanes);
    }
  }
#pragma unroll
  for (int half = kBackwardWarps / 2; half > 0; half /= 2) {
    if (warp >= half && warp < 2 * half && lane < kLanes) {
#pragma unroll
      for (int p = 0; p < kPacks; ++p)
        store<kWidth>(&shared[warp - half][(p * kLanes + row_lane) * kWidth], sums[p]);
    }
    __syncthreads();
    if (warp < half) {
#pragma unroll
      for (int p = 0; p < kPacks; ++p) {
        const Pack<kWidth> other = load<kWidth>(&shared[warp][(p * kLanes + row_lane) * kWidth]);
#pragma unroll
        for (int i = 0; i < kWidth; ++i) sums[p].at[i] += other.at[i];
      }
    }
    __syncthreads();
  }
  if (warp != 0 || lane >= kLanes) return;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int column = (p * kLanes + row_lane) * kWidth;
    if (column < width) store<kWidth>(partials + std::int64_t(blockIdx.x) * width + column, sums[p]);
  }
}

template <int kLanes, int kPacks>
__global__ void __launch_bounds__(kBackwardWarps* kWarpSize, 2)
    residual_rms_norm_backward_kernel(RmsNormBackward arrays, RmsNormShape shape) {
  const int width = int(shape.width);
  const Place<kLanes> place = place_of<kLanes>(kBackwardWarps);
  const std::int64_t rows_at_once = std::int64_t(gridDim.x) * (kBackwardWarps * kWarpSize / kLanes);
  Pack<kWidth> gain_sums[kPacks] = {};
  // All lanes of a warp go round equally often, because they sum together.
  for (std::int64_t first = 0; first < shape.tokens; first += rows_at_once) {
    const std::int64_t row = first + place.row, base = row * width;
    const bool exists = row < shape.tokens;
    const float rstd = exists ? arrays.rstd[row] : 0;
    Pack<kWidth> unit[kPacks], gradient[kPacks], result[kPacks] = {};
    float projection = 0;
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int column = place.column(p);
      if (!exists || column >= width) continue;
      unit[p] = load<kWidth>(arrays.stream_in + base + column);
      gradient[p] = load<kWidth>(arrays.d_normed + base + column);
      if (arrays.d_stream_out != nullptr) result[p] = load<kWidth>(arrays.d_stream_out + base + column);
      const Pack<kWidth> gain = load_constant<kWidth>(arrays.gain + column);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        unit[p].at[i] *= rstd;
        gain_sums[p].at[i] = fmaf(gradient[p].at[i], unit[p].at[i], gain_sums[p].at[i]);
        gradient[p].at[i] *= gain.at[i];
        projection = fmaf(gradient[p].at[i], unit[p].at[i], projection);
      }
    }
    projection = row_sum<kLanes>(projection) / float(width);
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int column = place.column(p);
      if (!exists || column >= width) continue;
#pragma unroll
      for (int i = 0; i < kWidth; ++i)
        result[p].at[i] = fmaf(rstd, fmaf(-projection, unit[p].at[i], gradient[p].at[i]), result[p].at[i]);
      store<kWidth>(arrays.d_stream_in + base + column, result[p]);
      if (arrays.d_delta != nullptr) store<kWidth>(arrays.d_delta + base + column, result[p]);
    }
  }
  write_gain_partials<kLanes, kPacks>(gain_sums, width, arrays.gain_partials);
}

// One block a row at a time; a thread owns its columns of the partials.
__global__ void __launch_bounds__(kBlockRowThreads)
    residual_rms_norm_backward_block_kernel(RmsNormBackward arrays, RmsNormShape shape) {
  __shared__ float shared[kBlockRowThreads / kWarpSize];
  const int width = int(shape.width);
  float* partials = arrays.gain_partials + std::int64_t(blockIdx.x) * width;
  for (int c = threadIdx.x; c < width; c += kBlockRowThreads) partials[c] = 0;
  for (std::int64_t row = blockIdx.x; row < shape.tokens; row += gridDim.x) {
    const std::int64_t base = row * width;
    const float rstd = arrays.rstd[row];
    float projection = 0;
    for (int c = threadIdx.x; c < width; c += kBlockRowThreads) {
      const float unit = arrays.stream_in[base + c] * rstd;
      const float d_normed = __bfloat162float(arrays.d_normed[base + c]);
      partials[c] = fmaf(d_normed, unit, partials[c]);
      projection = fmaf(d_normed * arrays.gain[c], unit, projection);
    }
    projection = block_sum<kBlockRowThreads>(projection, shared) / float(width);
    for (int c = threadIdx.x; c < width; c += kBlockRowThreads) {
      const float unit = arrays.stream_in[base + c] * rstd;
      const float d_unit = __bfloat162float(arrays.d_normed[base + c]) * arrays.gain[c];
      const float past = arrays.d_stream_out != nullptr ? arrays.d_stream_out[base + c] : 0;
      const float gradient = fmaf(rstd, fmaf(-projection, unit, d_unit), past);
      arrays.d_stream_in[base + c] = gradient;
      if (arrays.d_delta != nullptr) arrays.d_delta[base + c] = __float2bfloat16_rn(gradient);
    }
    __syncthreads();  // before `shared` is used again
  }
}

// Block (columns, norm): kGainSlices threads a column, then their sums in order.
__global__ void __launch_bounds__(kGainColumns* kGainSlices)
    add_gain_gradients_kernel(const float* partials, int width, int column_blocks, GainGradients gradients) {
  __shared__ float shared[kGainSlices][kGainColumns];
  const int norm = blockIdx.x / column_blocks, lane = threadIdx.x % kGainColumns;
  const int column = blockIdx.x % column_blocks * kGainColumns + lane, slice = threadIdx.x / kGainColumns;
  constexpr int kRows = int(kRmsNormPartials) / kGainSlices;
  static_assert(kRows * kGainSlices == kRmsNormPartials);
  float sum = 0;
  if (column < width) {
    const float* from = partials + (std::int64_t(norm) * kRmsNormPartials + slice * kRows) * width + column;
#pragma unroll 11
    for (int row = 0; row < kRows; ++row) sum += from[std::int64_t(row) * width];
  }
  shared[slice][lane] = sum;
  __syncthreads();
  if (slice != 0 || column >= width) return;
#pragma unroll
  for (int other = 1; other < kGainSlices; ++other) sum += shared[other][lane];
  gradients.targets[norm][column] += sum;
}

// Calls `run` with the lanes of a row and the packs of a lane as types; false when no warp holds the row.
template <int kLanes, int kPacks>
struct Holding {
  static constexpr int lanes = kLanes, packs = kPacks;
};

template <int kLanes, int kMaxPacks, int kPacks = 1, typename Run>
bool with_packs(std::int64_t packs, Run&& run) {
  if (packs == kPacks) {
    run(Holding<kLanes, kPacks>{});
    return true;
  }
  if constexpr (kPacks < kMaxPacks) return with_packs<kLanes, kMaxPacks, kPacks + 1>(packs, run);
  return false;
}

template <typename Run>
bool with_holding(std::int64_t width, Run&& run) {
  if (width % kWidth != 0) return false;
  const std::int64_t whole = kWarpSize * kWidth, half = whole / 2;
  // Half a warp where that leaves no lane idle, e.g. 192 = 16 lanes x 3 packs x 4.
  if (width % whole != 0 && width % half == 0 && width / half <= 4)
    return with_packs<kWarpSize / 2, 4>(width / half, run);
  return with_packs<kWarpSize, 8>(divide_up(width, whole), run);
}

void check_width(std::int64_t width) {
  if (width < 1 || width > kRmsNormMaxWidth) {
    throw std::runtime_error("rms_norm has kernels for widths from 1 to " + std::to_string(kRmsNormMaxWidth) +
                             ", not for " + std::to_string(width));
  }
}

}  // namespace

void residual_rms_norm(const RmsNormForward& arrays, RmsNormShape shape, float eps, Stream stream) {
  check_width(shape.width);
  const bool is_held = with_holding(shape.width, [&](auto holding) {
    using H = decltype(holding);
    constexpr int kRows = kForwardWarps * kWarpSize / H::lanes;
    launch("residual_rms_norm", residual_rms_norm_kernel<H::lanes, H::packs>, divide_up(shape.tokens, kRows),
           kForwardWarps * kWarpSize, stream, arrays, shape, eps);
  });
  if (!is_held) {
    launch("residual_rms_norm", residual_rms_norm_block_kernel, shape.tokens, kBlockRowThreads, stream,
           arrays, shape, eps);
  }
}

void residual_rms_norm_backward(const RmsNormBackward& arrays, RmsNormShape shape, Stream stream) {
  check_width(shape.width);
  const bool is_held = with_holding(shape.width, [&](auto holding) {
    using H = decltype(holding);
    launch("residual_rms_norm_backward", residual_rms_norm_backward_kernel<H::lanes, H::packs>,
           kRmsNormPartials, kBackwardWarps * kWarpSize, stream, arrays, shape);
  });
  if (!is_held) {
    launch("residual_rms_norm_backward", residual_rms_norm_backward_block_kernel, kRmsNormPartials,
           kBlockRowThreads, stream, arrays, shape);
  }
}

void add_gain_gradients(const float* partials, std::int64_t width, const GainGradients& gradients,
                        Stream stream) {
  check_width(width);
  const std::int64_t column_blocks = divide_up(width, kGainColumns);
  launch("add_gain_gradients", add_gain_gradients_kernel, column_blocks * gradients.count,
         kGainColumns * kGainSlices, stream, partials, int(width), int(column_blocks), gradients);
}

}  // namespace sparsescope::kernels
