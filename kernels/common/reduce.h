// Sums over a warp in a fixed order: the same bits on every run. Device code only.
#pragma once

#include "kernels/common/launch.h"

namespace sparsescope::kernels {

inline constexpr unsigned kFullWarp = 0xffffffffu;

// Every lane returns the sum over the 32 lanes.
template <typename T>
__device__ inline T warp_sum(T value) {
#pragma unroll
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(kFullWarp, value, offset);
  return value;
}

}  // namespace sparsescope::kernels
