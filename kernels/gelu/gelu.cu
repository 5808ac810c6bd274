// GELU and its derivative on the GPU: eight values a thread, one exponential for Phi and phi together.
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"
#include "kernels/gelu/gelu.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kWidth = 8;

struct Normal {
  float cdf;      // Phi(x) within 7.5e-8; relative error of the lower tail 5e-5 at -3, 4e-3 at -6
  float density;  // phi(x)
};

// Abramowitz and Stegun 7.1.26 for the upper tail: no cancellation where Phi is small, and the exponential is
// phi's own. erff and expf cost more than the memory traffic hides: see ladder/.
__device__ inline Normal normal(float x) {
  constexpr float kLog2E = 1.4426950408889634f, kInverseSqrt2Pi = 0.3989422804014327f;
  constexpr float kInverseSqrt2 = 0.7071067811865476f;
  const float e = exp2f(-0.5f * kLog2E * x * x);
  const float t = __fdividef(1.0f, fmaf(0.3275911f * kInverseSqrt2, fabsf(x), 1.0f));
  float polynomial = fmaf(1.061405429f, t, -1.453152027f);
  polynomial = fmaf(polynomial, t, 1.421413741f);
  polynomial = fmaf(polynomial, t, -0.284496736f);
  polynomial = fmaf(polynomial, t, 0.254829592f);
  const float tail = 0.5f * polynomial * t * e;
  return {x < 0 ? tail : 1.0f - tail, kInverseSqrt2Pi * e};
}

__device__ inline float gelu_of(float x) { return x * normal(x).cdf; }

__device__ inline float gelu_slope(float x) {
  const Normal at = normal(x);
  return fmaf(x, at.density, at.cdf);
}

template <int kPackWidth>
__global__ void __launch_bounds__(kThreads)
    gelu_kernel(const Bfloat16* input, std::int64_t packs, Bfloat16* output) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= packs) return;
  Pack<kPackWidth> values = load<kPackWidth>(input + i * kPackWidth);
#pragma unroll
  for (float& value : values.at) value = gelu_of(value);
  store<kPackWidth>(output + i * kPackWidth, values);
}

template <int kPackWidth>
__global__ void __launch_bounds__(kThreads)
    gelu_backward_kernel(const Bfloat16* input, const Bfloat16* d_output, std::int64_t packs,
                         Bfloat16* d_input) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= packs) return;
  const Pack<kPackWidth> x = load<kPackWidth>(input + i * kPackWidth);
  Pack<kPackWidth> gradient = load<kPackWidth>(d_output + i * kPackWidth);
#pragma unroll
  for (int k = 0; k < kPackWidth; ++k) gradient.at[k] *= gelu_slope(x.at[k]);
  store<kPackWidth>(d_input + i * kPackWidth, gradient);
}

bool is_aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

}  // namespace

void gelu(const Bfloat16* input, std::int64_t count, Bfloat16* output, Stream stream) {
  const bool fits = is_aligned(input) && is_aligned(output);
  const std::int64_t packs = fits ? count / kWidth : 0, done = packs * kWidth;
  launch("gelu", gelu_kernel<kWidth>, divide_up(packs, kThreads), kThreads, stream, input, packs, output);
  launch("the end of gelu", gelu_kernel<1>, divide_up(count - done, kThreads), kThreads, stream, input + done,
         count - done, output + done);
}

void gelu_backward(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count, Bfloat16* d_input,
                   Stream stream) {
  const bool fits = is_aligned(input) && is_aligned(d_output) && is_aligned(d_input);
  const std::int64_t packs = fits ? count / kWidth : 0, done = packs * kWidth;
  launch("gelu_backward", gelu_backward_kernel<kWidth>, divide_up(packs, kThreads), kThreads, stream, input,
         d_output, packs, d_input);
  launch("the end of gelu_backward", gelu_backward_kernel<1>, divide_up(count - done, kThreads), kThreads,
         stream, input + done, d_output + done, count - done, d_input + done);
}

}  // namespace sparsescope::kernels
