// The command palette and the cheat sheet: two ways to read the command table.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

std::string query;  // of the palette, while it is open
int chosen = 0;

std::string first_key(const viz::UiCommand& command) {
  return command.keys.empty() ? "" : viz::text_from_chord(command.keys[0]);
}

// "#1200" means go to step 1200.
bool go_to_step(State& state) {
  if (query.size() < 2 || query[0] != '#' || state.run() == nullptr) return false;
  std::uint64_t step = 0;
  const auto [end, failure] = std::from_chars(query.data() + 1, query.data() + query.size(), step);
  if (failure != std::errc{} || end != query.data() + query.size()) return false;
  state.timeline.cursor().seek(step);
  return true;
}

void palette_row(State& state, const viz::UiCommand& command, bool is_chosen, bool& picked) {
  ImGui::PushID(command.id.c_str());
  const std::string reason = state.commands.why_disabled(command.id);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = px(32);
  picked |= ImGui::InvisibleButton("row", {width, height});
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (is_chosen || ImGui::IsItemHovered())
    list->AddRectFilled(at, {at.x + width, at.y + height},
                        color(is_chosen ? Token::AccentSurface : Token::Line, is_chosen ? 1.f : 0.5f), px(4));
  if (is_chosen) ImGui::SetScrollHereY(0.5f);
  const std::string key = first_key(command), right = reason.empty() ? command.category : reason;
  const ImVec2 key_size = text_size(Font::Mono, kSmallText - 1, key.c_str());
  const ImVec2 words = text_size(Font::Regular, kBodyText - 1, command.words.c_str());
  const ImVec2 note = text_size(Font::Regular, kSmallText - 1, right.c_str());
  draw_text(list, Font::Regular, kBodyText - 1, {at.x + px(10), at.y + (height - words.y) / 2},
            color(reason.empty() ? Token::Text : Token::Muted), command.words.c_str());
  draw_text(list, Font::Mono, kSmallText - 1,
            {at.x + width - px(10) - key_size.x, at.y + (height - key_size.y) / 2}, color(Token::Muted),
            key.c_str());
  list->PushClipRect({at.x + words.x + px(24), at.y}, {at.x + width - px(96), at.y + height}, true);
  draw_text(
      list, Font::Regular, kSmallText - 1,
      {std::max(at.x + words.x + px(24), at.x + width - px(110) - note.x), at.y + (height - note.y) / 2},
      color(reason.empty() ? Token::Muted : Token::Warn), right.c_str());
  list->PopClipRect();
  ImGui::PopID();
}

bool begin_overlay(const char* name, float width, float height, bool& show) {
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::GetForegroundDrawList();
  ImGui::SetNextWindowPos({size.x / 2, std::max(px(72), size.y * 0.12f)}, ImGuiCond_Always, {0.5f, 0});
  ImGui::SetNextWindowSize({std::min(px(width), size.x - px(32)), std::min(px(height), size.y - px(110))});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, color4(Token::Raised));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, std::max(1.f, px(1)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(16), px(14)});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, px(8));
  const bool open = ImGui::Begin(name, nullptr,
                                 ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize |
                                     ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoDocking |
                                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoCollapse);
  ImGui::PopStyleVar(3);
  ImGui::PopStyleColor();
  // A click beside it closes it.
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && !ImGui::IsWindowAppearing() &&
      !ImGui::IsWindowHovered(ImGuiHoveredFlags_RootAndChildWindows))
    show = false;
  return open;
}

}  // namespace

void draw_palette(State& state) {
  if (!state.show_palette) return;
  if (state.focus_palette) {
    query.clear();
    chosen = 0;
    ImGui::SetNextWindowFocus();
  }
  if (begin_overlay("palette", 640, 430, state.show_palette)) {
    if (state.focus_palette) {
      ImGui::SetKeyboardFocusHere();
      state.focus_palette = false;
    }
    ImGui::SetNextItemWidth(-FLT_MIN);
    if (ImGui::InputTextWithHint("##query", "Search commands; #1200 goes to a step", &query)) chosen = 0;
    const bool entered = ImGui::IsItemFocused() && ImGui::IsKeyPressed(ImGuiKey_Enter, false);
    if (entered && go_to_step(state)) state.show_palette = false;
    std::vector<const viz::UiCommand*> found = state.commands.search(query);
    if (found.empty()) {
      ui::muted("Nothing is called that. Nearest:");
      for (const viz::UiCommand& command : state.commands.all()) {
        if (found.size() < 3) found.push_back(&command);
      }
    }
    if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++chosen;
    if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) --chosen;
    chosen = std::clamp(chosen, 0, static_cast<int>(found.size()) - 1);
    const viz::UiCommand* picked = nullptr;
    if (ImGui::BeginChild("found")) {
      ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, px(1)});
      for (std::size_t i = 0; i < found.size(); ++i) {
        bool is_picked = entered && static_cast<int>(i) == chosen;
        palette_row(state, *found[i], static_cast<int>(i) == chosen, is_picked);
        if (is_picked) picked = found[i];
      }
      ImGui::PopStyleVar();
    }
    ImGui::EndChild();
    if (picked != nullptr && state.show_palette) {
      state.show_palette = false;
      if (const std::string reason = state.commands.run(picked->id); !reason.empty())
        state.notify(picked->words + ": " + reason, ui::Tone::Neutral);
    }
  }
  ImGui::End();
}

namespace {

// Categories in their order, cut into columns of about equal length.
std::vector<std::vector<std::string>> split_categories(const viz::CommandTable& commands,
                                                       std::size_t columns) {
  std::vector<std::pair<std::string, std::size_t>> sizes;
  for (const viz::UiCommand& command : commands.all()) {
    if (command.keys.empty()) continue;
    const auto known = std::find_if(sizes.begin(), sizes.end(),
                                    [&](const auto& entry) { return entry.first == command.category; });
    known == sizes.end() ? (void)sizes.emplace_back(command.category, 3) : (void)++known->second;
  }
  // The longest first, each into the column that is shortest so far.
  std::stable_sort(sizes.begin(), sizes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::vector<std::string>> split(columns);
  std::vector<std::size_t> lengths(columns, 0);
  for (const auto& [category, length] : sizes) {
    const auto shortest =
        static_cast<std::size_t>(std::min_element(lengths.begin(), lengths.end()) - lengths.begin());
    split[shortest].push_back(category);
    lengths[shortest] += length;
  }
  return split;
}

void category_rows(const viz::CommandTable& commands, const std::string& category) {
  ui::heading(category.c_str());
  for (const viz::UiCommand& command : commands.all()) {
    if (command.category != category || command.keys.empty()) continue;
    const float left = ImGui::GetCursorScreenPos().x;
    for (std::size_t i = 0; i < command.keys.size() && i < 2; ++i) {
      if (i > 0) ImGui::SameLine(0, px(4));
      ui::key_cap(viz::text_from_chord(command.keys[i]));
    }
    ImGui::SameLine();
    ImGui::SetCursorScreenPos(
        {std::max(left + px(150), ImGui::GetCursorScreenPos().x), ImGui::GetCursorScreenPos().y});
    FontScope font(Font::Regular, kSmallText + 0.5f);
    ImGui::TextUnformatted(command.words.c_str());
  }
  ImGui::Dummy({0, px(8)});
}

}  // namespace

void draw_cheat_sheet(State& state) {
  if (!state.show_cheat_sheet) return;
  if (begin_overlay("keys", 900, 620, state.show_cheat_sheet)) {
    {
      FontScope font(Font::SemiBold, kTitleText - 2);
      ImGui::TextUnformatted("Keys");
    }
    ui::muted("Every command also answers to Ctrl+K and its name. Esc closes this.");
    ImGui::Dummy({0, px(6)});
    const bool is_wide = ImGui::GetContentRegionAvail().x > px(640);
    const std::vector<std::vector<std::string>> columns = split_categories(state.commands, is_wide ? 2 : 1);
    if (ImGui::BeginTable("keys", static_cast<int>(columns.size()), ImGuiTableFlags_SizingStretchSame)) {
      for (const std::vector<std::string>& column : columns) {
        ImGui::TableNextColumn();
        for (const std::string& category : column) category_rows(state.commands, category);
      }
      ImGui::EndTable();
    }
  }
  ImGui::End();
}

}  // namespace sparsescope::frame
