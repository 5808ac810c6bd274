// Rotary positions on packed q and k, in place. The attention kernel that does the same on the way in is
// kernels/attention.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

enum class RotaryLayout { Interleaved, HalfSplit };  // pairs (2i, 2i+1) or (i, i + D/2)
enum class RotaryTurn { Forward, Back };             // by the angle, or by its negative: for gradients

struct RotaryTables {
  const float* cosines = nullptr;  // [T,D/2], or null: nothing turns
  const float* sines = nullptr;    // [T,D/2]
  RotaryLayout layout = RotaryLayout::Interleaved;
};

struct RopeShape {
  std::int64_t batch = 0;       // B
  std::int64_t tokens = 0;      // T
  std::int64_t heads = 0;       // H
  std::int64_t head_width = 0;  // D: a multiple of 16
};

// Turns q and k of qkv [B,T,3,H,D] in place, fp32 inside; v stays. All pointers 16-byte aligned, on the
// device of `stream`. Throws std::runtime_error when D is no multiple of 16 or the launch fails.
void rope(Bfloat16* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn, Stream stream);

// The same on the host, for any even D; fp64 inside, results rounded once or not at all.
void rope_reference(double* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn);
void rope_reference(Bfloat16* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn);

}  // namespace sparsescope::kernels
