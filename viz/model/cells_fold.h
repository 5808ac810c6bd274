// How two cells become one, and the blocks whose extent is kept: shared by the files of Cells, nobody else.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/format.h"

namespace sparsescope::viz {

inline constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();
inline constexpr int kCellBlock = 64;  // side of the blocks whose extent is kept
inline constexpr Range kNoExtent{std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::infinity()};

// Not a number loses against anything.
inline float larger(float a, float b) {
  const float best = a > b ? a : b;
  return b != b ? a : best;
}
inline float larger_magnitude(float a, float b) {
  const float size_a = std::abs(a), size_b = std::abs(b);
  const float best = (size_a > size_b) | ((size_a == size_b) & (a > b)) ? a : b;
  return b != b ? a : best;
}

inline Range joined(const Range& a, const Range& b) {
  return {std::min(a.minimum, b.minimum), std::max(a.maximum, b.maximum)};
}

}  // namespace sparsescope::viz
