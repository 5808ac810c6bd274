// The 16-bit float of GEMM operands, and its conversions on the host. In a build without CUDA a struct of the
// same layout takes its place, so that references need none of CUDA's headers.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__) || defined(SPARSESCOPE_CUDA)
#include <cuda_bf16.h>
#endif

namespace sparsescope::kernels {

#if defined(__CUDACC__) || defined(SPARSESCOPE_CUDA)
using Bfloat16 = __nv_bfloat16;
#else
struct Bfloat16 {
  std::uint16_t bits;
};
#endif
static_assert(sizeof(Bfloat16) == 2 && alignof(Bfloat16) == 2);

// Host code; exact.
inline float float_from_bfloat16(Bfloat16 value) {
  return std::bit_cast<float>(std::uint32_t(std::bit_cast<std::uint16_t>(value)) << 16);
}

// Host code; rounds to nearest, ties to even, like the device. A NaN stays a NaN.
inline Bfloat16 bfloat16_from_float(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return std::bit_cast<Bfloat16>(std::uint16_t(bits >> 16 | 0x40u));
  return std::bit_cast<Bfloat16>(std::uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16));
}

}  // namespace sparsescope::kernels
