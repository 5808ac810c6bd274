// Turning pairs of channels: eight neighbouring values in registers, a tile in shared memory, or a warp's
// results. Device code only.
#pragma once

#include "kernels/common/mma.cuh"
#include "kernels/rope/rope.h"

namespace sparsescope::kernels {

struct Eight {
  float at[8];
};
__device__ inline Eight load_eight(const float* from) {
  const float4 low = __ldg(reinterpret_cast<const float4*>(from));
  const float4 high = __ldg(reinterpret_cast<const float4*>(from) + 1);
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}

// (a, b) becomes (a cos - b sin, a sin + b cos).
__device__ inline void turn_pair(float& a, float& b, float cosine, float sine) {
  const float turned = a * cosine - b * sine;
  b = a * sine + b * cosine;
  a = turned;
}

// Sixteen values of one row, two packs of eight: pack 0 of pair group `group` and its partner. Interleaved,
// the packs are neighbours (2 group, 2 group + 1); half-split, they lie D/2 apart (group, group + D/16).
__device__ inline void turn_packs(Pack<8>& first, Pack<8>& second, const Eight& cosines, const Eight& sines,
                                  RotaryLayout layout) {
  if (layout == RotaryLayout::Interleaved) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      turn_pair(first.at[2 * i], first.at[2 * i + 1], cosines.at[i], sines.at[i]);
      turn_pair(second.at[2 * i], second.at[2 * i + 1], cosines.at[4 + i], sines.at[4 + i]);
    }
  } else {
#pragma unroll
    for (int i = 0; i < 8; ++i) turn_pair(first.at[i], second.at[i], cosines.at[i], sines.at[i]);
  }
}
// Packs of pair group `group`, of D / 16 groups. Its angles start at 8 group in the row of the table.
__device__ inline int first_pack(int group, RotaryLayout layout) {
  return layout == RotaryLayout::Interleaved ? 2 * group : group;
}
__device__ inline int second_pack(int group, int groups, RotaryLayout layout) {
  return layout == RotaryLayout::Interleaved ? 2 * group + 1 : group + groups;
}

// Turns the first `rows` rows of kCount tiles of kWidth that lie kCount in a row in shared memory, row 0
// being token `first_token`. All threads of the block take part; barriers before and after are the caller's.
template <int kWidth, int kThreads, int kCount>
__device__ inline void turn_tiles(const SwizzledTile<kWidth> (&tiles)[kCount], int rows, int first_token,
                                  const RotaryTables& tables) {
  constexpr int kGroups = kWidth / 16;
  for (int i = threadIdx.x; i < rows * kGroups; i += kThreads) {
    const int row = i / kGroups, group = i % kGroups;
    const std::int64_t angles = std::int64_t(first_token + row) * (kWidth / 2) + 8 * group;
    const Eight cosines = load_eight(tables.cosines + angles), sines = load_eight(tables.sines + angles);
#pragma unroll
    for (int k = 0; k < kCount; ++k) {
      auto place = [&](int pack_index) {
        return static_cast<Bfloat16*>(
            __cvta_shared_to_generic(tiles[k].address + tiles[k].offset(row, pack_index)));
      };
      Bfloat16* const first_place = place(first_pack(group, tables.layout));
      Bfloat16* const second_place = place(second_pack(group, kGroups, tables.layout));
      Pack<8> first = load<8>(first_place), second = load<8>(second_place);
      turn_packs(first, second, cosines, sines, tables.layout);
      store<8>(first_place, first);
      store<8>(second_place, second);
    }
  }
}

// Turns a warp's [16, kWidth] results back, row 0 being token `first_token`; rows from `existing` on stay.
template <int kWidth>
__device__ inline void turn_rows_back(FragmentC (&c)[kWidth / 8], int first_token, int existing, int lane,
                                      const RotaryTables& tables) {
  const int g = lane / 4, t = lane % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = g + 8 * half;
    if (row >= existing) continue;
    const std::int64_t angles = std::int64_t(first_token + row) * (kWidth / 2);
    if (tables.layout == RotaryLayout::Interleaved) {
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) {
        const std::int64_t angle = angles + 4 * n + t;
        turn_pair(c[n].at[2 * half], c[n].at[2 * half + 1], __ldg(tables.cosines + angle),
                  -__ldg(tables.sines + angle));
      }
    } else {
#pragma unroll
      for (int n = 0; n < kWidth / 16; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const std::int64_t angle = angles + 8 * n + 2 * t + e;
          turn_pair(c[n].at[2 * half + e], c[n + kWidth / 16].at[2 * half + e], __ldg(tables.cosines + angle),
                    -__ldg(tables.sines + angle));
        }
      }
    }
  }
}

}  // namespace sparsescope::kernels
