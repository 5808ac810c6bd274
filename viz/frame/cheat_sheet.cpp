// The cheat sheet: every command that has a key, in groups, from the command table.
#include <fmt/format.h>

#include <algorithm>

#include "imgui.h"
#include "viz/frame/overlay.h"
#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

constexpr float kKeys = 128;  // width of the column of keys, at scale 1

std::string keys_of(const viz::UiCommand& command) {
  std::string keys;
  for (const viz::KeyChord& chord : command.keys)
    keys += (keys.empty() ? "" : ", ") + viz::text_from_chord(chord);
  return keys;
}

// Has a key, and acts while this view is in front.
bool is_listed(const viz::UiCommand& command, const std::string& view) {
  return !command.keys.empty() && (command.view.empty() || command.view == view);
}

// Categories in the order of the table.
std::vector<std::string> categories(const viz::CommandTable& commands, const std::string& view) {
  std::vector<std::string> names;
  for (const viz::UiCommand& command : commands.all()) {
    if (is_listed(command, view) && std::find(names.begin(), names.end(), command.category) == names.end())
      names.push_back(command.category);
  }
  return names;
}

// A row of the sheet: one command, or several that differ by a number ("1 … 9", "Go to bookmark 1 … 9").
struct Row {
  std::string words;
  std::vector<std::string> keys;
};

// "Go to bookmark 3" -> "Go to bookmark ", "3"; without a number at the end: whole, "".
std::pair<std::string, std::string> without_number(const std::string& text) {
  const std::size_t last = text.find_last_not_of("0123456789");
  const std::size_t at = last == std::string::npos ? 0 : last + 1;
  return {text.substr(0, at), text.substr(at)};
}

std::vector<Row> rows_of(const viz::CommandTable& commands, const std::string& category,
                         const std::string& view) {
  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::size_t>> numbered;  // stem of the words, its row
  for (const viz::UiCommand& command : commands.all()) {
    if (command.category != category || !is_listed(command, view)) continue;
    const std::string key = viz::text_from_chord(command.keys[0]);
    const auto [stem, number] = without_number(command.words);
    const auto [key_stem, key_number] = without_number(key);
    if (!number.empty() && number == key_number) {
      const auto known = std::find_if(numbered.begin(), numbered.end(),
                                      [&](const auto& entry) { return entry.first == stem; });
      if (known != numbered.end()) {
        Row& row = rows[known->second];
        const std::string first = without_number(row.words.substr(0, row.words.find(" … "))).second;
        row = {stem + first + " … " + number, {key_stem + first + " … " + key_number}};
        continue;
      }
      numbered.emplace_back(stem, rows.size());
    }
    Row row{command.words, {}};
    for (std::size_t i = 0; i < command.keys.size() && i < 2; ++i)
      row.keys.push_back(viz::text_from_chord(command.keys[i]));
    rows.push_back(std::move(row));
  }
  return rows;
}

// Cut into columns of about equal length: the longest first, each into the column that is shortest so far.
std::vector<std::vector<std::string>> columns_of(const viz::CommandTable& commands, const std::string& view,
                                                 std::size_t count) {
  constexpr std::size_t kHeading = 2;  // rows that a heading takes
  std::vector<std::pair<std::string, std::size_t>> sizes;
  for (const std::string& category : categories(commands, view))
    sizes.emplace_back(category, rows_of(commands, category, view).size() + kHeading);
  std::stable_sort(sizes.begin(), sizes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::vector<std::string>> columns(count);
  std::vector<std::size_t> lengths(count, 0);
  for (const auto& [category, length] : sizes) {
    const auto shortest =
        static_cast<std::size_t>(std::min_element(lengths.begin(), lengths.end()) - lengths.begin());
    columns[shortest].push_back(category);
    lengths[shortest] += length;
  }
  return columns;
}

void category_rows(const viz::CommandTable& commands, const std::string& category, const std::string& view) {
  ui::heading(category.c_str());
  for (const Row& row : rows_of(commands, category, view)) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float right = at.x + ImGui::GetContentRegionAvail().x;
    for (std::size_t i = 0; i < row.keys.size(); ++i) {
      if (i > 0) ImGui::SameLine(0, px(4));
      ui::key_cap(row.keys[i]);
    }
    const float x = std::max(at.x + px(kKeys), ImGui::GetItemRectMax().x + px(8));
    const FontScope font(Font::Regular, kSmallText + 0.5f);
    ImGui::SetCursorScreenPos({x, at.y + px(1)});
    ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + right - x);
    ImGui::TextUnformatted(row.words.c_str());
    ImGui::PopTextWrapPos();
  }
  ImGui::Dummy({0, px(8)});
}

// The title of the view in front when it has keys of its own, else nothing.
std::string view_title(State& state) {
  const viz::View* view = view_in_front(state);
  const auto& all = state.commands.all();
  const bool has_keys =
      view != nullptr && std::any_of(all.begin(), all.end(), [&](const viz::UiCommand& command) {
        return !command.keys.empty() && command.view == view->id();
      });
  return has_keys ? std::string(view->title()) : "";
}

}  // namespace

std::string keys_as_text(const State& state) {
  std::string text;
  const std::string& view = state.focused_view;
  for (const std::string& category : categories(state.commands, view)) {
    text += category + "\n";
    for (const viz::UiCommand& command : state.commands.all()) {
      if (command.category == category && is_listed(command, view))
        text += fmt::format("{}\t{}\n", keys_of(command), command.words);
    }
    text += "\n";
  }
  return text;
}

void draw_cheat_sheet(State& state) {
  if (!state.show_cheat_sheet) return;
  if (begin_overlay("keys", 1800, 1000, state.show_cheat_sheet)) {
    {
      FontScope font(Font::SemiBold, kTitleText - 2);
      ImGui::TextUnformatted("Keys");
    }
    ImGui::SameLine();
    if (ui::button("Copy as text")) state.commands.run("window.copy_keys");
    const std::string title = view_title(state);
    ui::muted("Every command also answers to Ctrl+K and its name. " +
              (title.empty() ? "" : "Keys of " + title + " are among these. ") + "Esc closes this.");
    ImGui::Dummy({0, px(6)});
    const float room = ImGui::GetContentRegionAvail().x;
    const std::size_t count = room > px(1400) ? 4 : room > px(1000) ? 3 : room > px(640) ? 2 : 1;
    const auto columns = columns_of(state.commands, state.focused_view, count);
    if (ImGui::BeginTable("keys", static_cast<int>(count), ImGuiTableFlags_SizingStretchSame)) {
      for (const std::vector<std::string>& column : columns) {
        ImGui::TableNextColumn();
        for (const std::string& category : column)
          category_rows(state.commands, category, state.focused_view);
      }
      ImGui::EndTable();
    }
  }
  ImGui::End();
}

}  // namespace sparsescope::frame
