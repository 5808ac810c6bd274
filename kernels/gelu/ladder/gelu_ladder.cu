// Study versions of GELU. Microseconds on an H100 80GB HBM3 (copy: 3007 GB/s), data rotating through more
// than the L2 cache, medians of 5 graphs of 50; in brackets bytes per second as a share of the copy's:
//
//   version                                        16384 x 768     16384 x 1536
//   gelu_erff                                      19.3 (0.87)      36.0 (0.93)
//   gelu of kernels/gelu/gelu.cu                   18.3 (0.92)      35.1 (0.95)
//   gelu_backward_scalar                           46.3 (0.54)      90.8 (0.55)
//   gelu_backward_erff                             29.3 (0.86)      57.0 (0.88)
//   gelu_backward of kernels/gelu/gelu.cu          26.6 (0.94)      51.4 (0.98)
//
// With data in the cache (16384 x 768) the backward pass takes 21.9 instead of 29.3: there the arithmetic
// shows.
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/gelu/ladder/gelu_ladder.h"

namespace sparsescope::kernels::ladder {
namespace {

constexpr int kThreads = 256;

__device__ inline float cdf(float x) { return 0.5f * (1 + erff(0.7071067811865476f * x)); }
__device__ inline float slope(float x) { return cdf(x) + x * 0.3989422804014327f * expf(-0.5f * x * x); }

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    gelu_kernel(const Bfloat16* input, std::int64_t packs, Bfloat16* output) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= packs) return;
  Pack<kWidth> values = load<kWidth>(input + i * kWidth);
#pragma unroll
  for (float& value : values.at) value *= cdf(value);
  store<kWidth>(output + i * kWidth, values);
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    gelu_backward_kernel(const Bfloat16* input, const Bfloat16* d_output, std::int64_t packs,
                         Bfloat16* d_input) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= packs) return;
  const Pack<kWidth> x = load<kWidth>(input + i * kWidth);
  Pack<kWidth> gradient = load<kWidth>(d_output + i * kWidth);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) gradient.at[k] *= slope(x.at[k]);
  store<kWidth>(d_input + i * kWidth, gradient);
}

}  // namespace

void gelu_backward_scalar(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                          Bfloat16* d_input, Stream stream) {
  launch("gelu_backward_scalar", gelu_backward_kernel<1>, divide_up(count, kThreads), kThreads, stream, input,
         d_output, count, d_input);
}

void gelu_backward_erff(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                        Bfloat16* d_input, Stream stream) {
  launch("gelu_backward_erff", gelu_backward_kernel<8>, divide_up(count / 8, kThreads), kThreads, stream,
         input, d_output, count / 8, d_input);
}

void gelu_erff(const Bfloat16* input, std::int64_t count, Bfloat16* output, Stream stream) {
  launch("gelu_erff", gelu_kernel<8>, divide_up(count / 8, kThreads), kThreads, stream, input, count / 8,
         output);
}

}  // namespace sparsescope::kernels::ladder
