// The warp-wide products on tiles of 64 rows that SPaRK's attention is made of: a block is 4 warps, a warp
// holds 16 rows. Device code only; instructions and tiles are kernels/common/mma.cuh.
#pragma once

#include <cmath>

#include "kernels/common/launch.h"
#include "kernels/common/mma.cuh"
#include "kernels/common/reduce.h"

namespace sparsescope::kernels {

inline constexpr int kTileRows = 64;
inline constexpr int kTileThreads = 128;  // 4 warps of 16 rows
inline constexpr float kLog2E = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

template <int kWidth>
inline constexpr int kTileBytes = SwizzledTile<kWidth>::bytes(kTileRows);

// Tiles one behind the other from the start of a block's dynamic shared memory.
template <int kWidth>
__device__ inline SwizzledTile<kWidth> tile_at(const unsigned char* memory, int index) {
  return {shared_address(memory) + index * kTileBytes<kWidth>};
}

// Starts copying rows first .. first+63 of `source` (row 0 of a sequence, `stride` values apart) into a tile;
// rows from `tokens` on are zero.
template <int kWidth>
__device__ inline void copy_tile(SwizzledTile<kWidth> tile, const Bfloat16* source, std::int64_t stride,
                                 int first, int tokens) {
  copy_tile_async<kWidth, kTileThreads>(tile, source + first * stride, stride, kTileRows, tokens - first);
}

// This lane of the warp's 16 rows: rows `row` and `row + 8`, columns 8 n + 2 `column` and the next.
struct Lane {
  int warp = int(threadIdx.x) / kWarpSize, index = int(threadIdx.x) % kWarpSize;
  int row = warp * 16 + index / 4, column = index % 4;
};

// Left factor: the warp's 16 rows of a tile.
template <int kWidth>
struct RowFragments {
  FragmentA at[kWidth / 16];

  __device__ void load(SwizzledTile<kWidth> tile, const Lane& lane) {
    const auto reader = FragmentReader<kWidth>::left(lane.index);
#pragma unroll
    for (int k = 0; k < kWidth / 16; ++k)
      at[k] = reader.template load<FragmentA>(tile, lane.warp * 16, k * 16);
  }
};

// c [16, 8 kBlocks] += rows . (rows first .. first + 8 kBlocks - 1 of `tile`)^T.
template <int kWidth, int kBlocks>
__device__ inline void multiply_rows(FragmentC (&c)[kBlocks], const RowFragments<kWidth>& rows,
                                     SwizzledTile<kWidth> tile, int first, const Lane& lane) {
  const auto reader = FragmentReader<kWidth>::right_transposed(lane.index);
#pragma unroll
  for (int pair = 0; pair < kBlocks / 2; ++pair) {
#pragma unroll
    for (int k = 0; k < kWidth / 16; ++k) {
      const auto b = reader.template load<FragmentB16>(tile, first + pair * 16, k * 16);
      mma<0>(c[pair * 2], rows.at[k], b, c[pair * 2]);
      mma<1>(c[pair * 2 + 1], rows.at[k], b, c[pair * 2 + 1]);
    }
  }
}

// c [16, kWidth] += a [16, 16] . (rows first .. first + 15 of `tile`).
template <int kWidth>
__device__ inline void multiply_columns(FragmentC (&c)[kWidth / 8], const FragmentA& a,
                                        SwizzledTile<kWidth> tile, int first, const Lane& lane) {
  const auto reader = FragmentReader<kWidth>::right(lane.index);
#pragma unroll
  for (int pair = 0; pair < kWidth / 16; ++pair) {
    const auto b = reader.template load_turned<FragmentB16>(tile, first, pair * 16);
    mma<0>(c[pair * 2], a, b, c[pair * 2]);
    mma<1>(c[pair * 2 + 1], a, b, c[pair * 2 + 1]);
  }
}

// The 8 x 8 matrix of bf16 that a warp holds, two values a lane, transposed.
__device__ inline std::uint32_t transpose_matrix(std::uint32_t value) {
  std::uint32_t transposed;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(value));
  return transposed;
}

// One of the two bf16 values of a word.
template <int kIndex>
__device__ inline float half_of(std::uint32_t word) {
  return __uint_as_float(kIndex == 0 ? word << 16 : word & 0xffff0000u);
}
__device__ inline float half_of(std::uint32_t word, int index) {
  return index == 0 ? half_of<0>(word) : half_of<1>(word);
}

// Over the four lanes of a row.
__device__ inline float row_sum(float value) {
  value += __shfl_xor_sync(kFullWarp, value, 1);
  return value + __shfl_xor_sync(kFullWarp, value, 2);
}
__device__ inline float row_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(kFullWarp, value, 1));
  return fmaxf(value, __shfl_xor_sync(kFullWarp, value, 2));
}

// Rounds and writes the warp's rows of a tile, times `factors` of this lane's two rows. `target` is row 0 of
// the sequence.
template <int kWidth>
__device__ inline void write_rows(Bfloat16* target, std::int64_t stride, int first, int tokens,
                                  const FragmentC (&c)[kWidth / 8], float factor, float factor_below,
                                  const Lane& lane) {
  FragmentC scaled[kWidth / 8];
#pragma unroll
  for (int n = 0; n < kWidth / 8; ++n)
    scaled[n] = {c[n].at[0] * factor, c[n].at[1] * factor, c[n].at[2] * factor_below,
                 c[n].at[3] * factor_below};
  const int row = first + lane.warp * 16;
  store_rows<kWidth>(target + row * stride, stride, tokens - row, lane.index, scaled);
}

// A launch of tile blocks with dynamic shared memory, beyond the 48 KB that need no asking, too.
template <typename Arguments>
void launch_tiles(const char* what, void (*kernel)(Arguments), std::int64_t blocks, std::size_t shared_bytes,
                  Stream stream, const Arguments& arguments) {
  if (blocks == 0) return;
  if (blocks > INT32_MAX)
    throw std::runtime_error(std::string(what) + ": " + std::to_string(blocks) +
                             " blocks are more than a grid holds");
  if (shared_bytes > 48 * 1024)
    check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes)),
               what);
  kernel<<<static_cast<unsigned>(blocks), kTileThreads, shared_bytes, stream>>>(arguments);
  check_cuda(cudaGetLastError(), what);
}

}  // namespace sparsescope::kernels
