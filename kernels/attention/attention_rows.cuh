// What forward and backward rows of attention share: settings of a launch, a lane's place, sums over a row.
// Device code only.
//
// Logits are kept raw, q.k without the scale, so that scale and base of the exponential are one
// multiplication. ALiBi enters as the starting value of the product, slope (p - first key of the chunk), and
// the rest of the bias is one value a row and chunk: fp32 never sees the distance of two far positions.
#pragma once

#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/common/mma.cuh"
#include "kernels/rope/rotation.cuh"

namespace sparsescope::kernels {

inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLn2 = 0.6931471805599453f;

// What all warps of a launch share.
struct AttentionSettings {
  int tokens;           // T
  int heads;            // H
  int window;           // W, at most T
  float scale;          // of q.k
  float scale_log2;     // scale log2(e)
  float headroom;       // raw logits may exceed the running maximum by this before it moves
  const float* slopes;  // [H] or null
  RotaryTables rotary;
};

struct Lane {
  int index, g, t;
  __device__ Lane() : index(threadIdx.x % 32), g(index / 4), t(index % 4) {}
};

// Chunks whose pairs are all visible need no comparison.
enum class Pairs { All, SomeHidden };

// ALiBi of a head in units of the raw logits; 0 without.
__device__ inline float slope_of_head(const AttentionSettings& settings, int head) {
  return settings.slopes == nullptr ? 0.0f : settings.slopes[head] / settings.scale;
}

template <int kFragments>
__device__ inline void scale_rows(FragmentC (&c)[kFragments], float factor) {
#pragma unroll
  for (int n = 0; n < kFragments; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) c[n].at[i] *= factor;
  }
}

// Sum and maximum over the four lanes of a row.
__device__ inline float quad_sum(float value) {
  value += __shfl_xor_sync(0xffffffffu, value, 1);
  return value + __shfl_xor_sync(0xffffffffu, value, 2);
}
__device__ inline float quad_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

}  // namespace sparsescope::kernels
