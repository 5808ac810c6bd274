// Density by layer and reason beside the routing graph.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/views/routing_view.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

struct ReadoutColumn {
  const char* name;
  float width;
  Token ink;
  const char* help;
};
constexpr ReadoutColumn kColumns[] = {
    {"layer", 34, Token::Muted, "Layer of the model"},
    {"scope", 54, Token::Text, "Share of the strict past in scope, self left out"},
    {"direct", 54, Token::Direct, "Declared for the query's id"},
    {"inherited", 62, Token::Inherited, "Over one heir, not direct"},
    {"fallback", 58, Token::Fallback, "Recent window, nothing was declared"},
    {"expected", 62, Token::Text, "Direct density that declaration counts alone predict, training batch"},
    {"mean", 48, Token::Muted, "Past tokens in scope per query"},
};

std::string cell_text(const RoutingReadout& readout, std::size_t column) {
  switch (column) {
    case 0:
      return std::to_string(readout.layer);
    case 1:
      return format_percent(readout.density, 1);
    case 5:
      return std::isfinite(readout.expected) ? format_percent(readout.expected, 1) : std::string(kAbsent);
    case 6:
      return format_fixed(readout.mean_scope, 1);
    default:
      return format_percent(readout.density_of[column - 2], 1);
  }
}

void draw_row(ImDrawList* list, ImVec2 at, const RoutingReadout* readout, bool is_shown) {
  float x = at.x;
  for (std::size_t i = 0; i < std::size(kColumns); ++i) {
    const ReadoutColumn& column = kColumns[i];
    const std::string text = readout == nullptr ? column.name : cell_text(*readout, i);
    const Font font = readout == nullptr ? Font::Regular : is_shown ? Font::MonoMedium : Font::Mono;
    const Token ink = readout == nullptr || !is_shown ? Token::Muted : column.ink;
    const float width = text_size(font, kSmallText - 1, text.c_str()).x;
    x += px(column.width);
    draw_text(list, font, kSmallText - 1, {x - width, at.y}, color(ink), text.c_str());
  }
}

}  // namespace

void draw_routing_readouts(const RoutingPicture& picture, ImVec2 size) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = px(kSmallText) * 1.6f;
  float y = at.y;
  const auto text = [&](Font font, Token ink, const std::string& words) {
    draw_text_within(list, font, kSmallText - 1, {at.x, y}, size.x, color(ink), words);
    y += line;
  };
  text(Font::SemiBold, Token::Text, "Density of the strict past");
  text(Font::Regular, Token::Muted,
       fmt::format("share of the {} pairs p < t of probe sequence 0",
                   format_count(picture.tokens * (picture.tokens - 1) / 2)));
  y += px(4);
  draw_row(list, {at.x, y}, nullptr, false);
  y += line;
  list->AddLine({at.x, y - px(3)}, {at.x + px(kReadoutsWidth), y - px(3)}, color(Token::Line), px(1));
  const auto room = static_cast<std::size_t>(std::max(1.f, (at.y + size.y - y) / line));
  std::size_t drawn = 0;
  for (const RoutingReadout& readout : picture.readouts) {
    if (drawn + 1 == room && picture.readouts.size() > room) {
      text(Font::Regular, Token::Muted,
           fmt::format("{} more layers: Ctrl+Shift+C copies all", picture.readouts.size() - drawn));
      break;
    }
    const bool is_shown = readout.layer >= picture.first_layer && readout.layer <= picture.last_layer;
    draw_row(list, {at.x, y}, &readout, is_shown);
    ++drawn;
    y += line;
  }
  ImGui::Dummy({px(kReadoutsWidth), std::min(size.y, y - at.y)});
  if (!ImGui::IsItemHovered()) return;
  std::string help;
  for (const ReadoutColumn& column : kColumns)
    help += fmt::format("{}{}: {}", help.empty() ? "" : "\n", column.name, column.help);
  ui::tooltip("Counted on the graph shown", help);
}

}  // namespace sparsescope::viz
