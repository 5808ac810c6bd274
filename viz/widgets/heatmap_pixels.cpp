// Heatmaps on the CPU, pixel by pixel as the shader does: its oracle, and the raster inside an SVG. No ImGui.
#include <cmath>
#include <cstring>

#include "engine/trace/error.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope {
namespace {

constexpr int kFar = 16384;  // keeps the place along a hatch positive, as the shader needs it

// Which cell of a level lies under the centre of each pixel; -1 outside.
std::vector<int> cells_along(int first, int count, double from, double to, int cells, int halved,
                             int level_cells) {
  std::vector<int> out(static_cast<std::size_t>(count), -1);
  const double per_pixel = cells / (to - from);
  for (int i = 0; i < count; ++i) {
    const double at = (first + i + 0.5 - from) * per_pixel;
    if (at < 0 || at >= cells) continue;
    out[static_cast<std::size_t>(i)] = std::min(level_cells - 1, static_cast<int>(at) >> halved);
  }
  return out;
}

}  // namespace

ColorScale scale_of(const HeatmapPayload& payload) {
  ColorScale scale{payload.map, payload.kind, payload.low, payload.high, payload.linear, {}};
  if (payload.kind == ColorScaleKind::Rank) scale.quantiles = payload.quantiles;
  return scale;
}

const viz::Cells::Level& level_of(const HeatmapPayload& payload) {
  return payload.has_mean != 0 ? payload.cells->mean_level(payload.level_down, payload.level_across)
                               : payload.cells->level(payload.level_down, payload.level_across);
}

std::vector<std::uint8_t> heatmap_pixels(const HeatmapPayload& payload, int left, int top, int width,
                                         int height) {
  check(width >= 0 && height >= 0, "a picture has no negative size");
  std::vector<std::uint8_t> rgba(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  if (payload.cells == nullptr || payload.rows == 0 || payload.columns == 0) return rgba;
  const viz::Cells::Level& level = level_of(payload);
  const ColorScale scale = scale_of(payload);
  const std::vector<int> columns = cells_along(left, width, payload.left, payload.right, payload.columns,
                                               payload.level_across, level.columns);
  const std::vector<int> rows =
      cells_along(top, height, payload.top, payload.bottom, payload.rows, payload.level_down, level.rows);
  std::uint8_t* out = rgba.data();
  for (int y = 0; y < height; ++y) {
    const int row = rows[static_cast<std::size_t>(y)];
    for (int x = 0; x < width; ++x, out += 4) {
      const int column = columns[static_cast<std::size_t>(x)];
      if (row < 0 || column < 0) continue;
      const float value = level.value(row, column);
      const bool has_value = value == value, has_invalid = level.has_invalid(row, column);
      std::uint32_t color = has_value     ? scale.color(value)
                            : has_invalid ? payload.invalid_paper
                                          : payload.absent_paper;
      if (!has_value && !has_invalid) {
        const int place = (left + x - top - y + kFar * payload.hatch_pixels) % payload.hatch_pixels;
        if (place < (payload.hatch_pixels + 5) / 6) color = payload.absent_ink;
      }
      if (has_invalid) {
        // Stripes lie on the picture, not on the cell, so that neighbours join. Thin over a value.
        const int place = (left + x + top + y) % payload.hatch_pixels;
        if (place < (has_value ? 1 : payload.hatch_pixels / 3)) color = payload.invalid_ink;
      }
      std::memcpy(out, &color, 4);
    }
  }
  return rgba;
}

HeatmapPayload whole_heatmap(const viz::CellsPtr& cells, const ColorScale& scale, int width, int height) {
  HeatmapPayload payload;
  payload.version = cells->version();
  payload.rows = cells->rows();
  payload.columns = cells->columns();
  payload.right = width;
  payload.bottom = height;
  const auto [down, across] = cells->level_for(static_cast<double>(cells->columns()) / std::max(1, width),
                                               static_cast<double>(cells->rows()) / std::max(1, height));
  payload.level_down = down;
  payload.level_across = across;
  payload.map = scale.map;
  payload.kind = scale.kind;
  payload.low = scale.low;
  payload.high = scale.high;
  payload.linear = scale.linear;
  if (scale.kind == ColorScaleKind::Rank && scale.quantiles.size() == kQuantiles)
    std::copy(scale.quantiles.begin(), scale.quantiles.end(), payload.quantiles);
  payload.invalid_ink = color(Token::Error);
  payload.invalid_paper = color(Token::Raised);
  payload.absent_ink = color(Token::AbsentHatch);
  payload.absent_paper = color(Token::Absent);
  payload.cells = cells.get();
  return payload;
}

}  // namespace sparsescope
