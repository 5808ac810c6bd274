// Sums over a block in a fixed order: the same bits on every run. Device code only.
#pragma once

#include "kernels/common/reduce.h"

namespace sparsescope::kernels {

// Every thread of a block of kThreads returns the sum over the block. `shared` holds kThreads / 32 values and
// may be used again after the next __syncthreads().
template <int kThreads, typename T>
__device__ inline T block_sum(T value, T* shared) {
  static_assert(kThreads % kWarpSize == 0 && kThreads <= kWarpSize * kWarpSize);
  value = warp_sum(value);
  if (threadIdx.x % kWarpSize == 0) shared[threadIdx.x / kWarpSize] = value;
  __syncthreads();
  T total = shared[0];
#pragma unroll
  for (int warp = 1; warp < kThreads / kWarpSize; ++warp) total += shared[warp];
  return total;
}

}  // namespace sparsescope::kernels
