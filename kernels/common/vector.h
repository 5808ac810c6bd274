// Neighbouring values loaded and stored by one instruction, fp32 in registers whatever memory holds. Device
// code only.
#pragma once

#include "kernels/common/bfloat16.h"

namespace sparsescope::kernels {

template <int kWidth>
struct Pack {
  float at[kWidth];
};

// `from` is aligned to the whole pack (up to 16 bytes).
template <int kWidth>
__device__ inline Pack<kWidth> load(const float* from) {
  static_assert(kWidth == 1 || kWidth % 4 == 0);
  Pack<kWidth> pack;
  if constexpr (kWidth == 1) {
    pack.at[0] = *from;
  } else {
#pragma unroll
    for (int i = 0; i < kWidth / 4; ++i) {
      const float4 part = reinterpret_cast<const float4*>(from)[i];
      pack.at[4 * i] = part.x, pack.at[4 * i + 1] = part.y;
      pack.at[4 * i + 2] = part.z, pack.at[4 * i + 3] = part.w;
    }
  }
  return pack;
}

// The same for what no thread writes while the kernel runs: such a load may move ahead of stores.
template <int kWidth>
__device__ inline Pack<kWidth> load_constant(const float* from) {
  static_assert(kWidth == 4);
  const float4 part = __ldg(reinterpret_cast<const float4*>(from));
  return {part.x, part.y, part.z, part.w};
}

// Two values of a 32-bit word, exact.
__device__ inline void unpack(std::uint32_t word, float& low, float& high) {
  low = __uint_as_float(word << 16);
  high = __uint_as_float(word & 0xffff0000u);
}

__device__ inline std::uint32_t pack(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&pair);
}

template <int kWidth>
__device__ inline Pack<kWidth> load(const Bfloat16* from) {
  static_assert(kWidth == 1 || kWidth == 4 || kWidth == 8);
  Pack<kWidth> result;
  if constexpr (kWidth == 1) {
    result.at[0] = __bfloat162float(*from);
  } else if constexpr (kWidth == 4) {
    const uint2 words = *reinterpret_cast<const uint2*>(from);
    unpack(words.x, result.at[0], result.at[1]);
    unpack(words.y, result.at[2], result.at[3]);
  } else {
    const uint4 words = *reinterpret_cast<const uint4*>(from);
    unpack(words.x, result.at[0], result.at[1]);
    unpack(words.y, result.at[2], result.at[3]);
    unpack(words.z, result.at[4], result.at[5]);
    unpack(words.w, result.at[6], result.at[7]);
  }
  return result;
}

template <int kWidth>
__device__ inline void store(float* to, const Pack<kWidth>& values) {
  static_assert(kWidth == 1 || kWidth % 4 == 0);
  if constexpr (kWidth == 1) {
    *to = values.at[0];
  } else {
#pragma unroll
    for (int i = 0; i < kWidth / 4; ++i) {
      reinterpret_cast<float4*>(to)[i] =
          make_float4(values.at[4 * i], values.at[4 * i + 1], values.at[4 * i + 2], values.at[4 * i + 3]);
    }
  }
}

template <int kWidth>
__device__ inline void store(Bfloat16* to, const Pack<kWidth>& values) {
  static_assert(kWidth == 1 || kWidth == 4 || kWidth == 8);
  if constexpr (kWidth == 1) {
    *to = __float2bfloat16_rn(values.at[0]);
  } else if constexpr (kWidth == 4) {
    *reinterpret_cast<uint2*>(to) =
        make_uint2(pack(values.at[0], values.at[1]), pack(values.at[2], values.at[3]));
  } else {
    *reinterpret_cast<uint4*>(to) =
        make_uint4(pack(values.at[0], values.at[1]), pack(values.at[2], values.at[3]),
                   pack(values.at[4], values.at[5]), pack(values.at[6], values.at[7]));
  }
}

}  // namespace sparsescope::kernels
