// The bar beside a heatmap: colours, limits, scale, and the hatch of what is invalid.
#include <fmt/format.h>

#include <algorithm>

#include "viz/widgets/controls.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope {
namespace ui {
namespace {

constexpr float kBar = 10, kEnd = 9, kText = kSmallText - 1;  // at scale 1
constexpr int kPieces = 64;                                   // of the gradient

struct Bar {
  ImVec2 min, max;  // of the coloured part
  bool is_vertical;

  // The point at `place` 0..1 along the bar, on the side of its smaller (0) or larger (1) coordinate.
  ImVec2 at(float place, float side) const {
    if (is_vertical) return {min.x + (max.x - min.x) * side, max.y + (min.y - max.y) * place};
    return {min.x + (max.x - min.x) * place, min.y + (max.y - min.y) * side};
  }
};

void draw_colors(ImDrawList* list, const Bar& bar, const ColorScale& scale) {
  const auto& table = color_map(scale.map);
  const auto entry = [&](int piece) { return table[static_cast<std::size_t>(piece * 255 / kPieces)]; };
  for (int i = 0; i < kPieces; ++i) {
    const float from = static_cast<float>(i) / kPieces, to = static_cast<float>(i + 1) / kPieces;
    const ImVec2 a = bar.at(from, 0), b = bar.at(to, 1);
    const ImVec2 low{std::min(a.x, b.x), std::min(a.y, b.y)}, high{std::max(a.x, b.x), std::max(a.y, b.y)};
    if (bar.is_vertical) {
      list->AddRectFilledMultiColor(low, high, entry(i + 1), entry(i + 1), entry(i), entry(i));
    } else {
      list->AddRectFilledMultiColor(low, high, entry(i), entry(i + 1), entry(i + 1), entry(i));
    }
  }
  const float length = px(kEnd - 2) * (bar.is_vertical ? 1 : -1), gap = px(2) * (bar.is_vertical ? 1 : -1);
  const auto end = [&](float place, float sign, std::uint32_t ink) {
    const ImVec2 a = bar.at(place, 0), b = bar.at(place, 1), middle = bar.at(place, 0.5f);
    if (bar.is_vertical) {
      list->AddTriangleFilled({a.x, a.y + gap * sign}, {b.x, b.y + gap * sign},
                              {middle.x, middle.y + (gap + length) * sign}, ink);
    } else {
      list->AddTriangleFilled({a.x + gap * sign, a.y}, {b.x + gap * sign, b.y},
                              {middle.x + (gap + length) * sign, middle.y}, ink);
    }
  };
  end(0, 1, under_color(scale.map));
  end(1, -1, over_color(scale.map));
}

// A small hatched square, as invalid cells are drawn.
void draw_hatch(ImDrawList* list, ImVec2 at, float side) {
  list->AddRectFilled(at, {at.x + side, at.y + side}, color(Token::Raised));
  list->PushClipRect(at, {at.x + side, at.y + side}, true);
  for (float x = -side; x < side; x += px(5))
    list->AddLine({at.x + x, at.y + side}, {at.x + x + side, at.y}, color(Token::Error), px(1.6f));
  list->PopClipRect();
  list->AddRect(at, {at.x + side, at.y + side}, color(Token::Error));
}

// The same of cells without a value, which lean the other way.
void draw_absent(ImDrawList* list, ImVec2 at, float side) {
  const ImVec2 corner{at.x + side, at.y + side};
  list->AddRectFilled(at, corner, color(Token::Absent));
  list->PushClipRect(at, corner, true);
  for (float x = -side; x < side; x += px(5))
    list->AddLine({at.x + x, at.y}, {at.x + x + side, corner.y}, color(Token::AbsentHatch), px(1));
  list->PopClipRect();
  list->AddRect(at, corner, color(Token::Line));
}

std::string value_text(float value, const std::string& unit) {
  const std::string text = viz::format_number(static_cast<double>(value), 3);
  return unit.empty() || unit == "1" ? text : text + " " + unit;
}

}  // namespace

float color_bar_thickness(BarLayout layout) {
  const ImVec2 text = text_size(Font::Mono, kText, "-1.23e-04");
  return layout == BarLayout::Vertical ? px(kBar) + px(8) + text.x : px(kBar) + px(4) + text.y;
}

void color_bar(const char* id, const ColorScale& scale, const std::string& unit, BarLayout layout,
               float length, std::int64_t invalid_count, const std::string& absent,
               const std::string& quantity) {
  const bool is_vertical = layout == BarLayout::Vertical;
  const ImVec2 corner = ImGui::GetCursorScreenPos();
  const float thickness = color_bar_thickness(layout), whole = px(length);
  const ImVec2 size = is_vertical ? ImVec2{thickness, whole} : ImVec2{whole, thickness};
  ImGui::PushItemFlag(ImGuiItemFlags_NoNav, true);  // nothing to press
  ImGui::InvisibleButton(id, size);
  ImGui::PopItemFlag();
  ImDrawList* list = ImGui::GetWindowDrawList();
  Bar bar{corner, {corner.x + size.x, corner.y + px(kBar)}, is_vertical};
  const ImU32 ink = color(Token::Muted);
  const std::string kind = scale.kind == ColorScaleKind::Linear ? "" : scale_name(scale.kind);
  const std::string invalid = invalid_count > 0 ? viz::format_count(invalid_count) + " invalid" : "";
  const float line = text_size(Font::Mono, kText, "0").y;
  if (is_vertical) {
    const int lines_below = (kind.empty() ? 0 : 1) + (invalid.empty() ? 0 : 1) + (absent.empty() ? 0 : 1);
    ImFont* font = handle(Font::Regular);
    const float text_pixels = px(kText), wrap = thickness + px(4);
    const float words =
        quantity.empty() ? 0 : font->CalcTextSizeA(text_pixels, FLT_MAX, wrap, quantity.c_str()).y + px(2);
    bar.max = {corner.x + px(kBar),
               corner.y + size.y - px(kEnd) - words - static_cast<float>(lines_below) * (line + px(2))};
    bar.min.y += px(kEnd);
    const float left = bar.max.x + px(8);
    const auto label = [&](float place, const std::string& text) {
      draw_text(list, Font::Mono, kText, {left, bar.at(place, 0).y - line / 2}, ink, text.c_str());
    };
    label(1, value_text(scale.high, unit));
    if (bar.max.y - bar.min.y > px(90))
      label(0.5f, viz::format_number(static_cast<double>(scale.value_at(0.5f)), 3));
    label(0, viz::format_number(static_cast<double>(scale.low), 3));
    float y = bar.max.y + px(kEnd) + px(2);
    if (!quantity.empty()) {
      list->AddText(font, text_pixels, {corner.x, y}, ink, quantity.c_str(), nullptr, wrap);
      y += words;
    }
    if (!kind.empty()) {
      draw_text(list, Font::Regular, kText, {corner.x, y}, ink, kind.c_str());
      y += line + px(2);
    }
    if (!invalid.empty()) {
      draw_hatch(list, {corner.x, y + px(1)}, px(kBar));
      draw_text(list, Font::Regular, kText, {left, y}, color(Token::Error), invalid.c_str());
      y += line + px(2);
    }
    if (!absent.empty()) {
      draw_absent(list, {corner.x, y + px(1)}, px(kBar));
      draw_text(list, Font::Regular, kText, {left, y}, ink, absent.c_str());
    }
  } else {
    float right = corner.x + size.x;
    if (!invalid.empty()) {
      right -= text_size(Font::Regular, kText, invalid.c_str()).x;
      draw_text(list, Font::Regular, kText, {right, corner.y - px(2)}, color(Token::Error), invalid.c_str());
      right -= px(kBar) + px(6);
      draw_hatch(list, {right, corner.y}, px(kBar));
      right -= px(12);
    }
    bar.min.x += px(kEnd);
    bar.max.x = std::max(bar.min.x + px(20), right - px(kEnd));
    const float top = bar.max.y + px(3);
    const std::string low = viz::format_number(static_cast<double>(scale.low), 3),
                      high = value_text(scale.high, unit);
    draw_text(list, Font::Mono, kText, {bar.min.x, top}, ink, low.c_str());
    const float high_width = text_size(Font::Mono, kText, high.c_str()).x;
    draw_text(list, Font::Mono, kText, {bar.max.x - high_width, top}, ink, high.c_str());
    const std::string middle =
        kind.empty() ? viz::format_number(static_cast<double>(scale.value_at(0.5f)), 3) : kind;
    const Font font = kind.empty() ? Font::Mono : Font::Regular;
    const float middle_width = text_size(font, kText, middle.c_str()).x, center = (bar.min.x + bar.max.x) / 2;
    const float free_left = bar.min.x + text_size(Font::Mono, kText, low.c_str()).x + px(8);
    if (center - middle_width / 2 > free_left && center + middle_width / 2 < bar.max.x - high_width - px(8))
      draw_text(list, font, kText, {center - middle_width / 2, top}, ink, middle.c_str());
  }
  draw_colors(list, bar, scale);
  if (ImGui::IsItemHovered()) {
    const ImVec2 mouse = ImGui::GetMousePos();
    const float place = is_vertical ? (bar.max.y - mouse.y) / (bar.max.y - bar.min.y)
                                    : (mouse.x - bar.min.x) / (bar.max.x - bar.min.x);
    const std::string what = place < 0   ? "below " + value_text(scale.low, unit)
                             : place > 1 ? "above " + value_text(scale.high, unit)
                                         : value_text(scale.value_at(place), unit);
    tooltip(what, fmt::format("{}; colour map {}", scale_text(scale, unit), color_map_name(scale.map)));
  }
}

}  // namespace ui
}  // namespace sparsescope
