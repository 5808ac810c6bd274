// Where the parts of a declaration map stand, and the parts around its matrix: labels, strips, bars. Not for
// others.
#pragma once

#include "viz/views/declaration_map.h"

namespace sparsescope::viz {

// The matrix on screen, in framebuffer pixels. Rows run down.
struct DeclarationLayout {
  ImVec2 min{0, 0}, max{0, 0};  // of the matrix
  ImVec2 outer_min{0, 0}, outer_max{0, 0};
  Range ids, rows;   // shown
  float gutter = 0;  // of the row labels
  bool has_strips = false, has_bars = false;

  float x(double column) const {
    return min.x + static_cast<float>((column - ids.minimum) / ids.width()) * (max.x - min.x);
  }
  float y(double row) const {
    return min.y + static_cast<float>((row - rows.minimum) / rows.width()) * (max.y - min.y);
  }
  float column_width() const { return (max.x - min.x) / static_cast<float>(ids.width()); }
  float row_height() const { return (max.y - min.y) / static_cast<float>(rows.width()); }
  // Row and column at a point of the screen, when it lies beside the matrix or in it.
  std::optional<std::int64_t> row_at(float y, std::int64_t rows) const;
  std::optional<std::int64_t> column_at(float x, std::int64_t columns) const;
};

inline constexpr int kDeclarationStrips = 3;
inline constexpr float kStripWidth = 48, kStripGap = 10;                   // at scale 1
inline constexpr float kBarHeight = 28, kRowGutter = 118, kIdGutter = 24;  // at scale 1

void draw_row_labels(const DeclarationMap& map, const DeclarationLayout& layout, const Selection& selection);
void draw_column_labels(const DeclarationMap& map, const DeclarationLayout& layout,
                        const Selection& selection);
// How many ids each row declares, the share that came true, whether it is covered; right of the matrix.
void draw_row_strips(const DeclarationMap& map, const DeclarationLayout& layout);
// By how many positions each id is declared; above the matrix.
void draw_column_bars(const DeclarationMap& map, const DeclarationLayout& layout);

// Calls `draw(first, last, index)` with pixel spans of what is visible of `count` things; what is smaller
// than `least` pixels is folded into one span, `index` the one with the largest `value`.
template <typename Value, typename Draw>
void for_each_fold(std::int64_t count, Range shown, float from, float to, float least, Value value,
                   Draw draw) {
  const double per = static_cast<double>(to - from) / shown.width();
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(shown.minimum));
  const auto last = std::min<std::int64_t>(count, static_cast<std::int64_t>(shown.maximum) + 1);
  for (std::int64_t i = first; i < last;) {
    const auto begin = static_cast<float>(from + (static_cast<double>(i) - shown.minimum) * per);
    std::int64_t best = i, end = i + 1;
    while (end < last && static_cast<double>(end - i) * per < static_cast<double>(least)) {
      if (value(end) > value(best)) best = end;
      ++end;
    }
    const auto stop = static_cast<float>(from + (static_cast<double>(end) - shown.minimum) * per);
    draw(std::max(begin, from), std::min(stop, to), best);
    i = end;
  }
}

}  // namespace sparsescope::viz
