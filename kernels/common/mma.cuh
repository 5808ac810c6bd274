// Tensor-core products of bf16 from shared memory: tiles without bank conflicts, asynchronous copies into
// them, loads of fragments, m16n8k16. What is multiplied is the kernels' affair. Device code only, sm_80 on.
//
// Fragments of mma.sync.m16n8k16 (lane = 4 g + t, g = 0..7, t = 0..3), two bf16 a 32-bit register:
//   A [16,16]  a0 (g, 2t..2t+1)   a1 (g+8, 2t..2t+1)   a2 (g, 2t+8..2t+9)   a3 (g+8, 2t+8..2t+9)
//   B [16,8]   b0 (2t..2t+1, g)   b1 (2t+8..2t+9, g)                         (row k, column n)
//   C [16,8]   c0,c1 (g, 2t..2t+1)   c2,c3 (g+8, 2t..2t+1)                   fp32
// Two neighbouring C fragments, rounded, are the A fragment of the next product: fragment_a().
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/vector.h"

namespace sparsescope::kernels {

struct FragmentA {
  std::uint32_t at[4];
};
// Columns 0..7 take registers 0 and 1, columns 8..15 take registers 2 and 3.
struct FragmentB16 {
  std::uint32_t at[4];
};
struct FragmentC {
  float at[4];
};

// d = a b + c, b being one half of `b`.
template <int kHalf>
__device__ inline void mma(FragmentC& d, const FragmentA& a, const FragmentB16& b, const FragmentC& c) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
      : "=f"(d.at[0]), "=f"(d.at[1]), "=f"(d.at[2]), "=f"(d.at[3])
      : "r"(a.at[0]), "r"(a.at[1]), "r"(a.at[2]), "r"(a.at[3]), "r"(b.at[2 * kHalf]),
        "r"(b.at[2 * kHalf + 1]), "f"(c.at[0]), "f"(c.at[1]), "f"(c.at[2]), "f"(c.at[3]));
}

// c += a b over the 16 columns of b.
__device__ inline void mma_add(FragmentC (&c)[2], const FragmentA& a, const FragmentB16& b) {
  mma<0>(c[0], a, b, c[0]);
  mma<1>(c[1], a, b, c[1]);
}

// 16 columns of fp32 results, rounded, as the left factor of the next product.
__device__ inline FragmentA fragment_a(const FragmentC& low, const FragmentC& high) {
  return {{pack(low.at[0], low.at[1]), pack(low.at[2], low.at[3]), pack(high.at[0], high.at[1]),
           pack(high.at[2], high.at[3])}};
}

__device__ inline float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ inline std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

// 16 bytes from global to shared memory, or zeros. `from` must be readable memory's address only when
// `exists`.
__device__ inline void copy_async(std::uint32_t to, const void* from, bool exists) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(exists ? 16 : 0)
               : "memory");
}
// One fp32 value, in the same way.
__device__ inline void copy_value_async(std::uint32_t to, const float* from, bool exists) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from), "r"(exists ? 4 : 0)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most kOpen of this thread's groups are under way. Other threads' copies need a barrier, too.
template <int kOpen>
__device__ inline void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
}

// A tile of rows of kWidth bf16 in shared memory, 1024-byte aligned. Packs of 8 values (16 bytes) change
// places within 128 bytes so that 8 rows of one column of packs lie in 8 different groups of banks.
template <int kWidth>
struct SwizzledTile {
  static_assert(kWidth == 16 || kWidth == 32 || kWidth % 64 == 0);
  static constexpr int kRowBytes = kWidth * 2;
  static constexpr int kPacks = kWidth / 8;                 // of a row
  static constexpr int kPeriod = kPacks >= 8 ? 8 : kPacks;  // places a pack may take
  static constexpr int kRowsALine = kPacks >= 8 ? 1 : 8 / kPacks;

  std::uint32_t address;  // in the shared window

  __device__ static int turn_of_row(int row) { return row / kRowsALine % kPeriod; }
  // Byte offset of a pack.
  __device__ static std::uint32_t offset(int row, int pack) {
    return row * kRowBytes + (pack ^ turn_of_row(row)) * 16;
  }
  __device__ static constexpr int bytes(int rows) { return rows * kRowBytes; }
  // The tile without its first rows, a multiple of 8.
  __device__ SwizzledTile from_row(int row) const { return {address + bytes(row)}; }
};

// Where a lane reads when the warp loads a 16x16 fragment; rows and columns of the fragment's corner are
// multiples of 16, so that the lane's part never changes.
template <int kWidth>
class FragmentReader {
  using Tile = SwizzledTile<kWidth>;

 public:
  // Left factor [16 rows, 16 k] from rows of k.
  __device__ static FragmentReader left(int lane) { return FragmentReader(lane % 16, lane / 16); }
  // Right factor [16 k, 16 n] from rows of k, one row an n: a product with the transposed tile.
  __device__ static FragmentReader right_transposed(int lane) {
    return FragmentReader(lane % 8 + lane / 16 * 8, lane / 8 % 2);
  }
  // Right factor [16 k, 16 n] from rows of n, one row a k: a product with the tile itself; use load_turned.
  __device__ static FragmentReader right(int lane) { return FragmentReader(lane % 16, lane / 16); }
  // Left factor [16 rows, 16 k] from rows of `rows`, one row a k: the transposed tile; use load_turned.
  __device__ static FragmentReader left_transposed(int lane) {
    return FragmentReader(lane % 8 + lane / 16 * 8, lane / 8 % 2);
  }

  template <typename Fragment>
  __device__ Fragment load(Tile tile, int row, int column) const {
    Fragment f;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(f.at[0]), "=r"(f.at[1]), "=r"(f.at[2]), "=r"(f.at[3])
                 : "r"(at(tile, row, column))
                 : "memory");
    return f;
  }
  template <typename Fragment>
  __device__ Fragment load_turned(Tile tile, int row, int column) const {
    Fragment f;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(f.at[0]), "=r"(f.at[1]), "=r"(f.at[2]), "=r"(f.at[3])
                 : "r"(at(tile, row, column))
                 : "memory");
    return f;
  }

 private:
  __device__ FragmentReader(int row, int pack)
      : row_bytes_(row * Tile::kRowBytes), turned_pack_(pack ^ Tile::turn_of_row(row)) {}
  __device__ std::uint32_t at(Tile tile, int row, int column) const {
    return tile.address + row * Tile::kRowBytes + row_bytes_ + ((column / 8) ^ turned_pack_) * 16;
  }

  std::uint32_t row_bytes_;
  std::uint32_t turned_pack_;
};

// Copies `rows` rows of kWidth values, `stride` values apart in global memory, into a tile; rows from
// `existing` on become zeros. All threads of the block take part; commit and wait are the caller's. A thread
// keeps its place in the row, so that both addresses only grow by a constant.
template <int kWidth, int kThreads>
__device__ inline void copy_tile_async(SwizzledTile<kWidth> tile, const Bfloat16* from, std::int64_t stride,
                                       int rows, int existing) {
  using Tile = SwizzledTile<kWidth>;
  constexpr int kPacks = Tile::kPacks, kRowsAStep = kThreads / kPacks;
  static_assert(kThreads % kPacks == 0 && kRowsAStep % (Tile::kRowsALine * Tile::kPeriod) == 0);
  const int first = threadIdx.x / kPacks, pack = threadIdx.x % kPacks;
  const Bfloat16* source = from + first * stride + pack * 8;
  std::uint32_t to = tile.address + Tile::offset(first, pack);
  const std::int64_t step = kRowsAStep * stride;
#pragma unroll 4
  for (int row = first; row < rows; row += kRowsAStep) {
    copy_async(to, source, row < existing);
    source += step;
    to += Tile::bytes(kRowsAStep);
  }
}

// The same for one fp32 value a row.
template <int kThreads>
__device__ inline void copy_values_async(float* to, const float* from, int rows, int existing) {
  for (int row = threadIdx.x; row < rows; row += kThreads)
    copy_value_async(shared_address(to + row), from + row, row < existing);
}

// Rounds and stores a warp's [16, kWidth] results to rows of global memory, whole 32-byte sectors at a time.
// `to` is row 0's address; rows from `existing` on are not written.
template <int kWidth>
__device__ inline void store_rows(Bfloat16* to, std::int64_t stride, int existing, int lane,
                                  const FragmentC (&c)[kWidth / 8]) {
  const int g = lane / 4, t = lane % 4;
  const bool odd = t % 2 != 0;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = g + 8 * half;
#pragma unroll
    for (int n = 0; n < kWidth / 8; n += 2) {
      // Neighbours swap, so that each lane holds four columns in a row.
      const std::uint32_t low = pack(c[n].at[2 * half], c[n].at[2 * half + 1]);
      const std::uint32_t high = pack(c[n + 1].at[2 * half], c[n + 1].at[2 * half + 1]);
      const std::uint32_t got = __shfl_xor_sync(0xffffffffu, odd ? low : high, 1);
      const uint2 words = odd ? make_uint2(got, high) : make_uint2(low, got);
      const int column = 8 * n + (odd ? 8 : 0) + t / 2 * 4;
      if (row < existing) *reinterpret_cast<uint2*>(to + row * stride + column) = words;
    }
  }
}

}  // namespace sparsescope::kernels
