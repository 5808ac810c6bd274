// The grids of depth by context, a colour and its words in each cell: answers found, and the difference of
// the signal between two runs or steps.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "viz/model/format.h"
#include "viz/views/needle_panes.h"
#include "viz/widgets/colormaps.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope::viz {
namespace {

constexpr float kDepthLabels = 46;  // lengths at scale 1
constexpr float kHeader = 36;
constexpr float kCellGap = 2;
constexpr float kBar = 150, kDifferenceBar = 240;  // room for three numbers with signs
constexpr float kTwoLines = 34;                    // a cell this high holds the interval below the share
constexpr float kOneLine = 15;

// Accuracy in percent.
ColorScale share_scale() { return {default_color_map(), ColorScaleKind::Linear, 0, 100, 1e-3f, {}}; }

unsigned rgb_of(ImU32 packed) {
  return (packed & 0xFFu) << 16 | (packed >> 8 & 0xFFu) << 8 | (packed >> 16 & 0xFFu);
}

// The text colour that is legible on `surface`.
ImU32 ink_on(ImU32 surface) {
  const ImU32 text = color(Token::Text), panel = color(Token::Panel);
  return contrast(rgb_of(surface), rgb_of(text)) >= contrast(rgb_of(surface), rgb_of(panel)) ? text : panel;
}

void hatch(ImVec2 min, ImVec2 max, ImU32 ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = max.y - min.y, pitch = px(9);
  list->PushClipRect(min, max, true);
  for (float x = min.x - height; x < max.x; x += pitch)
    list->AddLine({x, max.y}, {x + height, min.y}, ink, line_px(1));
  list->PopClipRect();
}

// Words in the middle of a box, shortened to its width.
void centred(const std::string& words, Font font, float size, ImVec2 min, float width, ImU32 ink) {
  const float extent = text_size(font, size, words.c_str()).x;
  draw_text_within(ImGui::GetWindowDrawList(), font, size,
                   {min.x + std::max(px(3), (width - extent) / 2), min.y}, width - px(6), ink, words);
}

void draw_missing(const std::string& why, ImVec2 min, ImVec2 max, bool has_words) {
  ImGui::GetWindowDrawList()->AddRectFilled(min, max, color(Token::Raised), px(3));
  hatch(min, max, color(Token::Faint, 0.35f));
  if (!has_words || max.y - min.y < px(kOneLine)) return;
  const float middle = (min.y + max.y) / 2 - px(kSmallText) * 0.62f;
  centred(why, Font::Regular, kSmallText - 1, {min.x, middle}, max.x - min.x, color(Token::Muted));
}

// Two lines in a cell, or one where it is low.
void draw_two(const std::string& first, const std::string& second, ImVec2 min, ImVec2 max, ImU32 ink) {
  const float height = max.y - min.y, width = max.x - min.x, middle = (min.y + max.y) / 2;
  if (height < px(kOneLine)) return;
  if (height >= px(kTwoLines)) {
    centred(first, Font::SemiBold, kSmallText, {min.x, middle - px(15)}, width, ink);
    centred(second, Font::Regular, kSmallText - 1, {min.x, middle + px(1)}, width, ink);
  } else {
    centred(first + "  " + second, Font::Regular, kSmallText - 1, {min.x, middle - px(8)}, width, ink);
  }
}

void draw_share(double share, const NeedleCell& cell, ImVec2 min, ImVec2 max) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImU32 surface = share_scale().color(static_cast<float>(100 * share));
  const ImU32 ink = ink_on(surface);
  list->AddRectFilled(min, max, surface, px(3));
  if (!cell.has_enough_trials()) hatch(min, max, ImGui::GetColorU32(ink, 0.19f));
  const Range interval = wilson_interval(share, cell.trials);
  const std::string between = fmt::format("{} to {} %", format_fixed(100 * interval.minimum, 0),
                                          format_fixed(100 * interval.maximum, 0));
  draw_two(format_percent(share), between, min, max, ink);
}

// The step stands in the view's title unless the evaluation is an older one.
std::string header_detail(const NeedleContext& context, std::uint64_t cursor_step) {
  std::string words = context.tokens > 0 ? format_count(context.tokens) + " tokens" : "";
  if (context.step && *context.step != cursor_step)
    words += (words.empty() ? "step " : ", step ") + format_count(static_cast<std::int64_t>(*context.step));
  return words;
}

ColorScale difference_scale(const NeedlePicture& picture) {
  const double unit = picture.as_share ? 100 : 1;
  return {ColorMap::RdBu,
          ColorScaleKind::Linear,
          static_cast<float>(unit * picture.difference.limits.minimum),
          static_cast<float>(unit * picture.difference.limits.maximum),
          1e-3f,
          {}};
}

void draw_delta(const NeedlePicture& picture, const NeedleDelta& delta, ImVec2 min, ImVec2 max) {
  const double unit = picture.as_share ? 100 : 1;
  const auto [value, spread] = shown_delta(picture, delta);
  const std::string error = "± " + spread;
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!delta.is_beyond_error()) {
    list->AddRectFilled(min, max, color(Token::Raised), px(3));
    hatch(min, max, color(Token::Faint, 0.22f));  // its words stand over it
    return draw_two(value, error + ", within 2 SE", min, max, color(Token::Muted));
  }
  const ImU32 surface = difference_scale(picture).color(static_cast<float>(unit * delta.delta()));
  list->AddRectFilled(min, max, surface, px(3));
  draw_two(value, error, min, max, ink_on(surface));
}

// Depth by context of the picture's own run.
struct Grid {
  ImVec2 origin{0, 0};
  float width = 0, height = 0;  // of a cell with its gap
  ImVec2 min(const NeedlePlace& place) const {
    return {origin.x + static_cast<float>(place.context) * width,
            origin.y + static_cast<float>(place.depth) * height};
  }
  ImVec2 max(const NeedlePlace& place) const {
    const ImVec2 from = min(place);
    return {from.x + width - px(kCellGap), from.y + height - px(height > px(8) ? kCellGap : 0)};
  }
};

float bar_room() { return ui::color_bar_thickness(ui::BarLayout::Horizontal) + px(6); }

Grid grid_in(const NeedleRun& run, ImVec2 at, ImVec2 size) {
  return {{at.x + px(kDepthLabels), at.y + px(kHeader)},
          (size.x - px(kDepthLabels)) / static_cast<float>(run.contexts.size()),
          std::max(px(4), (size.y - px(kHeader) - bar_room()) / static_cast<float>(run.depths.size()))};
}

void draw_labels(const NeedlePicture& picture, const Grid& grid, ImVec2 at) {
  const NeedleRun& run = picture.runs.front();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float label_every = std::max(1.f, std::ceil(px(kOneLine) / grid.height));
  draw_text(list, Font::Regular, kSmallText - 1, {at.x, grid.origin.y - px(18)}, color(Token::Muted),
            "depth");
  for (std::size_t row = 0; row < run.depths.size(); row += static_cast<std::size_t>(label_every)) {
    const float y = grid.origin.y + (static_cast<float>(row) + 0.5f) * grid.height - px(8);
    draw_text(list, Font::Mono, kSmallText - 1, {at.x + px(6), y}, color(Token::Muted),
              run.depth_labels[row].c_str());
  }
  for (std::size_t column = 0; column < run.contexts.size(); ++column) {
    const NeedleContext& context = run.contexts[column];
    const float left = grid.origin.x + static_cast<float>(column) * grid.width;
    centred(context.label, Font::SemiBold, kSmallText, {left, at.y}, grid.width, color(Token::Text));
    centred(header_detail(context, picture.cursor_step), Font::Regular, kSmallText - 1, {left, at.y + px(16)},
            grid.width, color(Token::Muted));
  }
}

// What both grids are: labels, cells, a colour bar, and the place under the pointer.
struct GridLook {
  std::function<void(const NeedlePlace& place, ImVec2 min, ImVec2 max)> draw_cell;
  ColorScale scale;
  std::string unit;
  float bar = kBar;
};

NeedleHover draw_cells(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size,
                       const GridLook& look) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  if (picture.runs.empty() || picture.runs.front().contexts.empty()) return std::nullopt;
  const NeedleRun& run = picture.runs.front();
  const Grid grid = grid_in(run, at, size);
  draw_labels(picture, grid, at);
  NeedleHover hovered;
  for (std::size_t column = 0; column < run.contexts.size(); ++column) {
    for (std::size_t row = 0; row < run.depths.size(); ++row) {
      const NeedlePlace place{0, column, row};
      const ImVec2 min = grid.min(place), max = grid.max(place);
      look.draw_cell(place, min, max);
      if (lit == place)
        ImGui::GetWindowDrawList()->AddRect(min, max, color(Token::Accent), px(3), 0, line_px(2));
      if (ImGui::IsWindowHovered() &&
          ImGui::IsMouseHoveringRect(min, {min.x + grid.width, min.y + grid.height}))
        hovered = place;
    }
  }
  ImGui::SetCursorScreenPos({grid.origin.x, at.y + size.y - bar_room() + px(4)});
  ui::color_bar("grid", look.scale, look.unit, ui::BarLayout::Horizontal, look.bar);
  return hovered;
}

}  // namespace

NeedleHover draw_answer_grid(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size) {
  const auto draw_cell = [&](const NeedlePlace& place, ImVec2 min, ImVec2 max) {
    const NeedleContext& context = picture.runs.front().contexts[place.context];
    const NeedleCell& cell = context.cells[place.depth];
    if (cell.is_evaluated()) return draw_share(accuracy_of(picture, cell), cell, min, max);
    draw_missing(context.missing, min, max,
                 place.depth == context.cells.size() / 2 || context.step.has_value());
  };
  return draw_cells(picture, lit, size, {draw_cell, share_scale(), "%"});
}

NeedleHover draw_difference_grid(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size) {
  const auto draw_cell = [&](const NeedlePlace& place, ImVec2 min, ImVec2 max) {
    const std::vector<NeedleDelta>& deltas = picture.difference.cells[place.context];
    if (deltas[place.depth].is_known()) return draw_delta(picture, deltas[place.depth], min, max);
    draw_missing("not evaluated in both", min, max, place.depth == deltas.size() / 2);
  };
  return draw_cells(
      picture, lit, size,
      {draw_cell, difference_scale(picture), picture.as_share ? "points" : "nats", kDifferenceBar});
}

ImVec2 needle_cell_corner(const NeedlePicture& picture, const NeedlePlace& place, ImVec2 at, ImVec2 size) {
  return grid_in(picture.runs.front(), at, size).max(place);
}

}  // namespace sparsescope::viz
