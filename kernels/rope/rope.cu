// Rotary positions in place on the GPU: a thread turns 16 values of q or k.
#include <stdexcept>

#include "kernels/common/launch.h"
#include "kernels/rope/rotation.cuh"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    rope_kernel(Bfloat16* qkv, RotaryTables tables, int tokens, int heads, int width, float direction,
                std::int64_t count) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  // Rows of q and k of one token are neighbours: 2 H D values, D / 16 groups a head.
  const int groups = width / 16, groups_a_token = 2 * heads * groups;
  const std::int64_t token = i / groups_a_token;
  const int place = int(i % groups_a_token), head = place / groups, group = place % groups;
  const std::int64_t angles = token % tokens * (width / 2) + 8 * group;
  const Eight cosines = load_eight(tables.cosines + angles);
  Eight sines = load_eight(tables.sines + angles);
#pragma unroll
  for (int k = 0; k < 8; ++k) sines.at[k] *= direction;
  Bfloat16* const row = qkv + (token * 3 * heads + head) * width;
  Bfloat16* const first_place = row + 8 * first_pack(group, tables.layout);
  Bfloat16* const second_place = row + 8 * second_pack(group, groups, tables.layout);
  Pack<8> first = load<8>(first_place), second = load<8>(second_place);
  turn_packs(first, second, cosines, sines, tables.layout);
  store<8>(first_place, first);
  store<8>(second_place, second);
}

}  // namespace

void rope(Bfloat16* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn, Stream stream) {
  if (shape.head_width < 16 || shape.head_width % 16 != 0)
    throw std::runtime_error("rope turns heads whose width is a multiple of 16, not " +
                             std::to_string(shape.head_width));
  if (tables.cosines == nullptr) return;
  const std::int64_t count = shape.batch * shape.tokens * 2 * shape.heads * (shape.head_width / 16);
  launch("rope", rope_kernel, divide_up(count, kThreads), kThreads, stream, qkv, tables, int(shape.tokens),
         int(shape.heads), int(shape.head_width), turn == RotaryTurn::Forward ? 1.0f : -1.0f, count);
}

}  // namespace sparsescope::kernels
