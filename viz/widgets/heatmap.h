// Heatmaps inside a plot: one callback in the draw list, coloured by the shader of viz/render or, pixel for
// pixel the same, by heatmap_pixels(). No data handling: the matrix is a viz::Cells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imgui.h"
#include "viz/model/cells.h"
#include "viz/widgets/colormaps.h"
#include "viz/widgets/plot.h"

namespace sparsescope {

inline constexpr int kQuantiles = 257;

// What one heatmap looks like, as plain data. Pixels are framebuffer pixels; the first may lie right of or
// below the last when an axis runs the other way.
struct HeatmapPayload {
  std::uint64_t version = 0;  // of the cells
  std::int32_t rows = 0, columns = 0;
  double left = 0, right = 0;                     // outer edges of the first and the last column
  double top = 0, bottom = 0;                     // outer edges of the first and the last row
  std::int32_t level_down = 0, level_across = 0;  // the level of Cells that is shown
  ColorMap map = ColorMap::Cividis;
  ColorScaleKind kind = ColorScaleKind::Linear;
  float low = 0, high = 1, linear = 1e-3f;
  std::uint32_t has_mean = 0;  // 1: the mean of the cells below instead of the strongest
  std::uint32_t invalid_ink = 0, invalid_paper = 0;  // stripes over invalid cells, and what is under them
  std::uint32_t absent_ink = 0, absent_paper = 0;  // the same of cells without a value, leaning the other way
  std::int32_t hatch_pixels = 6;                   // from stripe to stripe
  float quantiles[kQuantiles] = {};                // Rank only
  const viz::Cells* cells = nullptr;               // last and not hashed; alive while the frame is
};

// What the shader draws, as rows of RGBA from the top: width * height pixels whose first lies at (left, top)
// of the same framebuffer. Transparent where there is no cell. The oracle of the shader, and what SVG embeds.
std::vector<std::uint8_t> heatmap_pixels(const HeatmapPayload& payload, int left, int top, int width,
                                         int height);
// The whole map in `width` x `height` pixels, the first row on top; for pictures without a plot.
HeatmapPayload whole_heatmap(const viz::CellsPtr& cells, const ColorScale& scale, int width, int height);
// The payload's scale; its quantiles stay in the payload.
ColorScale scale_of(const HeatmapPayload& payload);
// The level of the cells that a payload shows.
const viz::Cells::Level& level_of(const HeatmapPayload& payload);

namespace plot {

// How cells that are smaller than a pixel become one.
enum class Pooling { Strongest, Mean };

// What a heatmap says about the pointer.
struct HoveredCell {
  viz::CellIndex index;  // the finest cell under the pointer
  viz::Cell cell;        // and its value
  viz::CellBlock block;  // all cells of the mark under the pointer: one pixel may stand for many
  viz::Cell mark;        // what the mark shows: the strongest of the block, or the mean
  std::optional<viz::CellIndex> strongest;  // where the strongest of the block is; nothing without values
};

// Draws `cells` over the columns [x.minimum, x.maximum] and rows [y.minimum, y.maximum] of the plot between
// begin() and end(); column 0 starts at x.minimum, row 0 at y.minimum (set Axis::runs_down for rows from the
// top). With `baseline`, cells - baseline is drawn (`scale` then covers differences); the difference is kept
// for the next frames, because the strongest difference of a block is no difference of the strongest. One
// draw command, whatever the size; linear axes only.
void heatmap(const viz::CellsPtr& cells, Range x, Range y, const ColorScale& scale,
             const viz::CellsPtr& baseline = nullptr, Pooling pooling = Pooling::Strongest);
// The cell of the last heatmap() of this plot under the pointer; nothing when the pointer is elsewhere. Of a
// difference when there was a baseline.
std::optional<HoveredCell> cell_under_pointer();
// The cells that heatmap() draws for a baseline: the same object as long as neither changes.
viz::CellsPtr difference_of(const viz::CellsPtr& cells, const viz::CellsPtr& baseline);

}  // namespace plot

namespace ui {

// A bar of the map with limits, middle, scale and unit, ends for what lies under and over the limits, and the
// hatch with a count when cells are invalid; a vertical one with `absent` shows the hatch of cells without a
// value, in these words, and says under the colours what they stand for. `length` at scale 1. An item: the
// cursor goes on below it (use SameLine). The tooltip tells the value under the pointer.
enum class BarLayout { Horizontal, Vertical };
void color_bar(const char* id, const ColorScale& scale, const std::string& unit, BarLayout layout,
               float length, std::int64_t invalid_count = 0, const std::string& absent = "",
               const std::string& quantity = "");
// How much room it takes across its length, in framebuffer pixels.
float color_bar_thickness(BarLayout layout);

}  // namespace ui
}  // namespace sparsescope
