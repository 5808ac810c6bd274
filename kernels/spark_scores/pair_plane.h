// Where a pair's value lies in a plane of pairs (spark_scores.h): lower triangle of 64 x 64 tiles, each in
// the order in which one warp's tensor core fragments read it, 16 bytes a lane.
#pragma once

#include <cstdint>

#include "kernels/common/token_ids.h"
#include "kernels/spark_scores/spark_scores.h"

namespace sparsescope::kernels {

// First value of tile (i, j <= i) of a sequence; `tiles` = pair_tiles(T).
SPARSESCOPE_HOST_DEVICE inline std::int64_t pair_tile_offset(std::int64_t sequence, std::int64_t tiles,
                                                             std::int64_t i, std::int64_t j) {
  return (sequence * tiles + i * (i + 1) / 2 + j) * kPairTileValues;
}

// Place of (query, key), both 0 .. 63, inside its tile. A tile is 4 x 4 groups of 16 x 16 pairs, query group
// first; a group is 32 lanes of 8 values: the pairs (2c, 2c+1) of lane 4 r + c in the 8 x 8 blocks (upper
// left, lower left, upper right, lower right). That is the A operand of mma.m16n8k16, and the accumulator of
// two neighbouring ones.
SPARSESCOPE_HOST_DEVICE inline int pair_place(int query, int key) {
  const int group = query / 16 * 4 + key / 16, lane = query % 8 * 4 + key % 8 / 2,
            block = key / 8 % 2 * 2 + query / 8 % 2;
  return (group * 32 + lane) * 8 + block * 2 + key % 2;
}

// Row of the tile with running number n in the order of pair_tile_offset; its column is n - row (row + 1)
// / 2.
SPARSESCOPE_HOST_DEVICE inline int pair_tile_row(int n) {
  int row = 0;
#ifdef __CUDA_ARCH__
  row = static_cast<int>((sqrtf(8.0f * static_cast<float>(n) + 1.0f) - 1.0f) * 0.5f);
#endif
  while (row * (row + 1) / 2 > n) --row;
  while ((row + 1) * (row + 2) / 2 <= n) ++row;
  return row;
}

}  // namespace sparsescope::kernels
