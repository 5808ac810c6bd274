// Draws the palette and lets the keyboard walk through it.
#include "viz/frame/palette.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgui_internal.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/overlay.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

// True when it was pressed.
bool draw_item(const PaletteItem& item, int index, bool is_chosen) {
  ImGui::PushID(index);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = px(32);
  const bool pressed = ImGui::InvisibleButton("row", {width, height});
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (is_chosen || ImGui::IsItemHovered())
    list->AddRectFilled(at, {at.x + width, at.y + height},
                        color(is_chosen ? Token::AccentSurface : Token::Hover), px(4));
  if (is_chosen) ImGui::SetScrollHereY(0.5f);
  const bool may_run = item.reason.empty();
  const std::string& note = may_run ? item.category : item.reason;
  const ImVec2 key = text_size(Font::Mono, kSmallText - 1, item.key.c_str());
  const ImVec2 extent = text_size(Font::Regular, kSmallText - 1, note.c_str());
  const float key_left = at.x + width - px(10) - key.x;
  draw_text(list, Font::Mono, kSmallText - 1, {key_left, at.y + (height - key.y) / 2}, color(Token::Muted),
            item.key.c_str());
  const float right = key_left - px(14);
  const float words_height = text_size(Font::Regular, kBodyText - 1, item.words.c_str()).y;
  const float words_width =
      draw_text_within(list, Font::Regular, kBodyText - 1,
                       {at.x + px(10), at.y + (height - words_height) / 2}, right - at.x - px(20),
                       color(may_run ? Token::Text : Token::Muted), item.words)
          .width;
  const float left = std::max(at.x + words_width + px(24), right - extent.x);
  if (right - left > px(24))
    draw_text_within(list, Font::Regular, kSmallText - 1, {left, at.y + (height - extent.y) / 2},
                     right - left + px(4), color(may_run ? Token::Muted : Token::Warn), note);
  ImGui::PopID();
  return pressed;
}

std::string range_words(const viz::CommandArgument& argument) {
  if (!argument.range) return argument.unit.empty() ? "" : "in " + argument.unit;
  const viz::Range range = argument.range();
  return fmt::format("{} to {}{}", viz::format_number(range.minimum, 6), viz::format_number(range.maximum, 6),
                     argument.unit.empty() ? "" : " " + argument.unit);
}

// What is asked for, in place of the list's first line.
void draw_question(const viz::UiCommand& command) {
  {
    FontScope font(Font::SemiBold, kBodyText);
    ImGui::TextUnformatted(command.words.c_str());
  }
  const viz::CommandArgument& argument = *command.argument;
  std::string words = argument.name;
  if (const std::string range = range_words(argument); !range.empty()) words += ", " + range;
  if (argument.current) {
    if (const std::string now = argument.current(); !now.empty()) words += "; now " + now;
  }
  ui::muted(words);
}

// The field; true when Enter was pressed in it.
bool draw_field(PaletteState& palette, const char* hint) {
  const bool takes_focus = palette.wants_focus;
  if (takes_focus) ImGui::SetKeyboardFocusHere();
  palette.wants_focus = false;
  ImGui::SetNextItemWidth(-FLT_MIN);
  // A field that is being typed in keeps its own text: another opening is another field.
  ImGui::PushID(palette.opening);
  if (ImGui::InputTextWithHint("##query", hint, &palette.query)) {
    palette.chosen = 0;
    palette.problem.clear();
  }
  // A beginning of a query is typed on; a present value is typed over.
  if (palette.moves_to_end && ImGui::IsItemActive()) {
    if (ImGuiInputTextState* field = ImGui::GetInputTextState(ImGui::GetItemID()))
      field->ReloadUserBufAndMoveToEnd();
    palette.moves_to_end = false;
  }
  ImGui::PopID();
  return ImGui::IsItemFocused() && ImGui::IsKeyPressed(ImGuiKey_Enter, false);
}

}  // namespace

void open_palette(State& state, const std::string& query) {
  PaletteState fresh;
  fresh.is_open = fresh.wants_focus = true;
  fresh.query = query;
  fresh.moves_to_end = !query.empty();
  fresh.opening = ++state.palette_openings;
  state.palette = fresh;
}

void draw_palette(State& state) {
  PaletteState& palette = state.palette;
  if (!palette.is_open) return;
  if (palette.wants_focus) ImGui::SetNextWindowFocus();
  const viz::UiCommand* asked = state.commands.find(palette.asks_for);
  const bool is_short = asked != nullptr && asked->argument->kind != viz::CommandArgument::Kind::Choice;
  if (begin_overlay("palette", 680, is_short ? 170 : 450, palette.is_open)) {
    if (asked != nullptr) draw_question(*asked);
    const bool entered = draw_field(
        palette, asked != nullptr ? "" : "Search everything    @ runs    : tokens    # steps    , settings");
    const PaletteList list = palette_list(state);
    if (!palette.problem.empty()) ui::wrapped(palette.problem, Token::Error);
    if (!list.remark.empty()) ui::muted(list.remark);
    if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++palette.chosen;
    if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) --palette.chosen;
    palette.chosen = std::clamp(palette.chosen, 0, static_cast<int>(list.items.size()) - 1);
    int picked = entered ? palette.chosen : -1;
    if (ImGui::BeginChild("found")) {
      ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, px(1)});
      for (int i = 0; i < static_cast<int>(list.items.size()); ++i) {
        if (draw_item(list.items[static_cast<std::size_t>(i)], i, i == palette.chosen)) picked = i;
      }
      ImGui::PopStyleVar();
    }
    ImGui::EndChild();
    if (picked >= 0 && palette.is_open) choose(state, list.items[static_cast<std::size_t>(picked)]);
  }
  ImGui::End();
}

}  // namespace sparsescope::frame
