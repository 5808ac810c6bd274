// The grid of answers found: depth by context, a colour and its words in each cell.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
constexpr float kBar = 150;
constexpr float kTwoLines = 34;  // a cell this high holds the interval below the share
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

void draw_share(double share, const NeedleCell& cell, ImVec2 min, ImVec2 max) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImU32 surface = share_scale().color(static_cast<float>(100 * share));
  const ImU32 ink = ink_on(surface);
  list->AddRectFilled(min, max, surface, px(3));
  if (!cell.has_enough_trials()) hatch(min, max, ImGui::GetColorU32(ink, 0.19f));
  const float height = max.y - min.y, width = max.x - min.x;
  if (height < px(kOneLine)) return;
  const Range interval = wilson_interval(share, cell.trials);
  const std::string value = format_percent(share);
  const std::string between = fmt::format("{} to {} %", format_fixed(100 * interval.minimum, 0),
                                          format_fixed(100 * interval.maximum, 0));
  const float middle = (min.y + max.y) / 2;
  if (height >= px(kTwoLines)) {
    centred(value, Font::SemiBold, kSmallText, {min.x, middle - px(15)}, width, ink);
    centred(between, Font::Regular, kSmallText - 1, {min.x, middle + px(1)}, width, ink);
  } else {
    centred(value + "  " + between, Font::Regular, kSmallText - 1, {min.x, middle - px(8)}, width, ink);
  }
}

std::string header_detail(const NeedleContext& context) {
  std::string words = context.tokens > 0 ? format_count(context.tokens) + " tokens" : "";
  if (context.step)
    words += (words.empty() ? "step " : ", step ") + format_count(static_cast<std::int64_t>(*context.step));
  return words;
}

}  // namespace

NeedleHover draw_answer_grid(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (picture.runs.empty() || picture.runs.front().contexts.empty()) return std::nullopt;
  const NeedleRun& run = picture.runs.front();
  const float bar = ui::color_bar_thickness(ui::BarLayout::Horizontal) + px(6);
  const ImVec2 origin{at.x + px(kDepthLabels), at.y + px(kHeader)};
  const float width = (size.x - px(kDepthLabels)) / static_cast<float>(run.contexts.size());
  const float height = std::max(px(4), (size.y - px(kHeader) - bar) / static_cast<float>(run.depths.size()));
  const float label_every = std::max(1.f, std::ceil(px(kOneLine) / height));
  NeedleHover hovered;
  draw_text(list, Font::Regular, kSmallText - 1, {at.x, origin.y - px(18)}, color(Token::Muted), "depth");
  for (std::size_t row = 0; row < run.depths.size(); row += static_cast<std::size_t>(label_every)) {
    const float y = origin.y + (static_cast<float>(row) + 0.5f) * height - px(8);
    draw_text(list, Font::Mono, kSmallText - 1, {at.x + px(6), y}, color(Token::Muted),
              run.depth_labels[row].c_str());
  }
  for (std::size_t column = 0; column < run.contexts.size(); ++column) {
    const NeedleContext& context = run.contexts[column];
    const float left = origin.x + static_cast<float>(column) * width;
    centred(context.label, Font::SemiBold, kSmallText, {left, at.y}, width, color(Token::Text));
    centred(header_detail(context), Font::Regular, kSmallText - 1, {left, at.y + px(16)}, width,
            color(Token::Muted));
    for (std::size_t row = 0; row < run.depths.size(); ++row) {
      const ImVec2 min{left, origin.y + static_cast<float>(row) * height};
      const ImVec2 max{left + width - px(kCellGap), min.y + height - px(height > px(8) ? kCellGap : 0)};
      const NeedlePlace place{0, column, row};
      const NeedleCell& cell = context.cells[row];
      if (cell.is_evaluated()) {
        draw_share(accuracy_of(picture, cell), cell, min, max);
      } else {
        draw_missing(context.missing, min, max, row == run.depths.size() / 2 || context.step.has_value());
      }
      if (lit == place) list->AddRect(min, max, color(Token::Accent), px(3), 0, line_px(2));
      if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(min, {left + width, min.y + height}))
        hovered = place;
    }
  }
  ImGui::SetCursorScreenPos({origin.x, at.y + size.y - bar + px(4)});
  ui::color_bar("accuracy", share_scale(), "%", ui::BarLayout::Horizontal, kBar);
  return hovered;
}

}  // namespace sparsescope::viz
