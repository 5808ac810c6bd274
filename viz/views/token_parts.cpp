#include "viz/views/token_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imgui_internal.h"
#include "viz/model/format.h"
#include "viz/model/token_lock.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr float kLinkText = kSmallText;
constexpr double kCopiedSeconds = 1.5;

// "#17", or the text with its position and id.
std::string name_in_words(const TokenName& name) {
  std::string words = name.word;
  if (name.position >= 0) words += fmt::format(", token {}", format_count(name.position));
  if (name.id >= 0) words += fmt::format(", id {}", format_count(name.id));
  return words;
}

int foremost(std::uint8_t reasons) {
  return (reasons & kReadDirect) != 0      ? 0
         : (reasons & kReadInherited) != 0 ? 1
         : (reasons & kReadFallback) != 0  ? 2
                                           : 3;
}

}  // namespace

float token_link_width(const TokenName& name, float width) {
  return std::min(width, text_size(Font::Mono, kLinkText, name.word.c_str()).x + px(10));
}

float token_link(ViewContext& context, const TokenName& name, float width) {
  const float taken = std::max(px(kTokenRow), token_link_width(name, width));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::PushID(static_cast<int>(name.position));
  ImGui::PushID(static_cast<int>(name.id));
  const bool pressed = ImGui::InvisibleButton("token", {taken, px(kTokenRow)}, ImGuiButtonFlags_EnableNav);
  Selection& selection = context.selection;
  const bool has_place = name.position >= 0;
  if (ImGui::IsItemHovered()) {
    (has_place ? selection.hover.token : selection.hover.vocabulary_id) = has_place ? name.position : name.id;
    ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  }
  if (pressed && has_place)
    lock_token(selection.locked, name.position,
               ImGui::GetIO().KeyShift ? LockClick::Shift : LockClick::Plain);
  if (pressed && !has_place) selection.locked.vocabulary_id = name.id;

  const Marks &hover = selection.hover_before, &locked = selection.locked;
  const bool is_hovered = has_place ? hover.token == name.position : hover.vocabulary_id == name.id;
  const bool is_locked = has_place ? locked.token == name.position : locked.vocabulary_id == name.id;
  const bool is_second = has_place && locked.second_token == name.position;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 low{at.x, at.y + px(2)}, high{at.x + taken, at.y + px(kTokenRow - 2)};
  list->AddRectFilled(
      low, high, is_locked ? color(Token::AccentSurface) : color(is_hovered ? Token::Line : Token::Raised),
      px(3));
  if (is_locked || is_second)
    list->AddRect(low, high, color(Token::Accent), px(3), 0, px(is_locked ? 1.5f : 1));
  const ImVec2 size = text_size(Font::Mono, kLinkText, name.word.c_str());
  // Short words stand in the middle of their target.
  const float x = std::max(px(5), (taken - size.x) / 2);
  draw_text_within(list, Font::Mono, kLinkText, {at.x + x, at.y + (px(kTokenRow) - size.y) / 2},
                   taken - x - px(3), color(Token::Text), name.word);
  ImGui::RenderNavCursor({low, high}, ImGui::GetItemID());
  ui::tooltip(name_in_words(name),
              has_place ? "Click locks it, Shift-click puts it beside" : "Click locks the id");
  ImGui::PopID();
  ImGui::PopID();
  return taken;
}

float copyable(const char* id, const std::string& shown, const std::string& full, Align align, Token ink) {
  const ImVec2 size = text_size(Font::Mono, kSmallText - 0.5f, shown.c_str());
  ImVec2 at = ImGui::GetCursorScreenPos();
  if (align == Align::Right) at.x -= size.x;
  ImGui::SetCursorScreenPos(at);
  const bool pressed =
      ImGui::InvisibleButton(id, {std::max(1.f, size.x), px(kTokenRow)}, ImGuiButtonFlags_EnableNav);
  const ImGuiID item = ImGui::GetItemID();
  ImGuiStorage* storage = ImGui::GetStateStorage();
  if (pressed) {
    ImGui::SetClipboardText(full.c_str());
    storage->SetFloat(item, static_cast<float>(ImGui::GetTime()));
  }
  const float top = at.y + (px(kTokenRow) - size.y) / 2;
  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_text(list, Font::Mono, kSmallText - 0.5f, {at.x, top}, color(ink), shown.c_str());
  if (ImGui::IsItemHovered()) {
    ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
    list->AddLine({at.x, top + size.y}, {at.x + size.x, top + size.y}, color(ink), px(1));
  }
  ImGui::RenderNavCursor({at, {at.x + size.x, at.y + px(kTokenRow)}}, item);
  const bool is_fresh = ImGui::GetTime() - storage->GetFloat(item, -10.f) < kCopiedSeconds;
  ui::tooltip(is_fresh ? "Copied " + full : full, is_fresh ? "" : "Click copies it");
  return size.x;
}

ImU32 reason_color(std::uint8_t reasons, float alpha) {
  constexpr Token kTokens[] = {Token::Direct, Token::Inherited, Token::Fallback, Token::Self};
  return color(kTokens[foremost(reasons)], alpha);
}

void reason_stroke(ImDrawList* list, ImVec2 from, ImVec2 to, std::uint8_t reasons, float thickness) {
  const ImU32 ink = reason_color(reasons);
  const int which = foremost(reasons);
  if (which == 0 || which == 3) return list->AddLine(from, to, ink, thickness);
  const float on = px(which == 1 ? 4 : 1.5f), step = on + px(which == 1 ? 3 : 2.5f);
  for (float x = from.x; x < to.x; x += step)
    list->AddLine({x, from.y}, {std::min(x + on, to.x), to.y}, ink, thickness);
}

}  // namespace sparsescope::viz
