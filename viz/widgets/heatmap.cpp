// From plot coordinates to a payload, and what is under the pointer.
#include "viz/widgets/heatmap.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "implot.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope {
namespace plot {
namespace {

// The last heatmap, for cell_under_pointer().
struct Last {
  viz::CellsPtr cells;
  HeatmapPayload payload;
  int frame = -1;
};
Last last;

constexpr std::size_t kKeptDifferences = 8;
struct Difference {
  std::uint64_t of, to;
  viz::CellsPtr cells;
};

}  // namespace

viz::CellsPtr difference_of(const viz::CellsPtr& cells, const viz::CellsPtr& baseline) {
  static std::deque<Difference> kept;  // the newest used first
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const Difference& known) {
    return known.of == cells->version() && known.to == baseline->version();
  });
  Difference entry{cells->version(), baseline->version(), nullptr};
  if (found != kept.end()) {
    entry = *found;
    kept.erase(found);
  } else {
    entry.cells = viz::Cells::difference(*cells, *baseline);
  }
  kept.push_front(entry);
  if (kept.size() > kKeptDifferences) kept.pop_back();
  return entry.cells;
}

void heatmap(const viz::CellsPtr& given, Range x, Range y, const ColorScale& scale,
             const viz::CellsPtr& baseline, Pooling pooling) {
  const viz::CellsPtr cells = baseline ? difference_of(given, baseline) : given;
  last = {};
  if (!cells || cells->rows() == 0 || cells->columns() == 0) return;
  const Mapping to = mapping();
  HeatmapPayload payload = whole_heatmap(cells, scale, 1, 1);
  payload.left = to.pixel_x(x.minimum);
  payload.right = to.pixel_x(x.maximum);
  payload.top = to.pixel_y(y.minimum);
  payload.bottom = to.pixel_y(y.maximum);
  const double width = std::abs(payload.right - payload.left),
               height = std::abs(payload.bottom - payload.top);
  if (!(width > 0 && height > 0)) return;
  const auto [down, across] = cells->level_for(cells->columns() / width, cells->rows() / height);
  payload.level_down = down;
  payload.level_across = across;
  payload.has_mean = pooling == Pooling::Mean ? 1 : 0;
  payload.hatch_pixels = std::max(3, static_cast<int>(std::lround(px(6))));
  level_of(payload);  // made here, where it counts as building, not while drawing
  add_payload(ImPlot::GetPlotDrawList(), payload);
  keep_for_frame(cells);
  last = {cells, payload, ImGui::GetFrameCount()};
}

std::optional<HoveredCell> cell_under_pointer() {
  if (!last.cells || last.frame != ImGui::GetFrameCount() || !hovered()) return std::nullopt;
  const ImVec2 mouse = ImGui::GetMousePos();
  const HeatmapPayload& payload = last.payload;
  // The pixel under the pointer shows the cell under its centre.
  const double across = (std::floor(mouse.x) + 0.5 - payload.left) / (payload.right - payload.left);
  const double down = (std::floor(mouse.y) + 0.5 - payload.top) / (payload.bottom - payload.top);
  const std::optional<viz::CellIndex> index = last.cells->cell_at(across, down);
  if (!index) return std::nullopt;
  HoveredCell found;
  found.index = *index;
  found.cell = last.cells->at(*index);
  const int row = index->row >> payload.level_down, column = index->column >> payload.level_across;
  found.block.row = row << payload.level_down;
  found.block.column = column << payload.level_across;
  found.block.rows = std::min(1 << payload.level_down, payload.rows - found.block.row);
  found.block.columns = std::min(1 << payload.level_across, payload.columns - found.block.column);
  found.strongest = last.cells->strongest(found.block);
  const viz::Cells::Level& level = level_of(payload);
  const float value = level.value(row, column);
  if (value == value) {
    found.mark = {viz::CellState::Value, value};
  } else {
    found.mark.state = level.has_invalid(row, column) ? viz::CellState::Invalid : viz::CellState::Absent;
  }
  return found;
}

}  // namespace plot

}  // namespace sparsescope
