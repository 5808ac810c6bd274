// The settings dialog: sections of the settings table, searchable, each value live and with a reset.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/overlay.h"
#include "viz/frame/state.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

using viz::Setting;

constexpr float kLabel = 210, kWidget = 300, kRow = 32;  // widths at scale 1
constexpr const char* kPrivacy =
    "Nothing leaves this computer: the program opens no network connection, counts nothing and reports "
    "nothing. "
    "Recordings, notes and settings are files of yours.";

void set(State& state, const Setting& setting, const std::string& value) {
  state.settings_dialog.problem = state.commands.run("setting." + setting.id, value);
}

void choose(State& state, const Setting& setting) {
  const std::string now = setting.get();
  if (setting.choices.size() > 4) {
    ImGui::SetNextItemWidth(px(kWidget));
    if (!ImGui::BeginCombo("##choice", now.c_str())) return;
    for (const std::string& choice : setting.choices) {
      if (ImGui::Selectable(choice.c_str(), choice == now)) set(state, setting, choice);
    }
    return ImGui::EndCombo();
  }
  std::vector<const char*> names;
  for (const std::string& choice : setting.choices) names.push_back(choice.c_str());
  int index = static_cast<int>(std::find(setting.choices.begin(), setting.choices.end(), now) -
                               setting.choices.begin());
  if (ui::segmented("choice", names, index))
    set(state, setting, setting.choices[static_cast<std::size_t>(index)]);
}

void slide(State& state, const Setting& setting) {
  double value = viz::number_from_text(setting.get()).value_or(setting.range.minimum);
  const bool is_wide = setting.range.minimum > 0 && setting.range.maximum / setting.range.minimum > 20;
  const std::string words = viz::format_unit(value, setting.unit);
  if (ui::slider("value", value, setting.range.minimum, setting.range.maximum,
                 is_wide ? ui::Steps::Logarithmic : ui::Steps::Linear, kWidget - 90, words)) {
    // A round number under the handle.
    set(state, setting, fmt::format("{:.3g}", value));
  }
}

// A text is set when it is entered, so that half a path is no error.
void type(State& state, const Setting& setting) {
  SettingsDialog& dialog = state.settings_dialog;
  const bool is_edited = dialog.editing == setting.id;
  std::string text = is_edited ? dialog.typed : setting.get();
  ImGui::SetNextItemWidth(px(kWidget));
  const bool entered =
      ImGui::InputTextWithHint("##text", "standard", &text, ImGuiInputTextFlags_EnterReturnsTrue);
  if (ImGui::IsItemActive()) {
    dialog.editing = setting.id;
    dialog.typed = text;
  }
  if (!entered) return;
  set(state, setting, text);
  if (dialog.problem.empty()) dialog.editing.clear();
}

// A control of this height at scale 1 stands on the line of the label beside it.
void centre_in_row(float top, float height) {
  ImGui::SetCursorPosY(top + std::floor((ImGui::GetFrameHeight() - px(height)) / 2));
}

void draw_row(State& state, const Setting& setting) {
  ImGui::PushID(setting.id.c_str());
  const float left = ImGui::GetCursorPosX(), top = ImGui::GetCursorPosY();
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(setting.words.c_str());
  ui::tooltip(setting.text);
  ImGui::SameLine(left + px(kLabel));
  switch (setting.kind) {
    case Setting::Kind::Switch: {
      bool on = setting.get() == "on";
      centre_in_row(top, 24);
      if (ui::toggle("##switch", on)) set(state, setting, on ? "on" : "off");
      break;
    }
    case Setting::Kind::Choice:
      choose(state, setting);
      break;
    case Setting::Kind::Number:
      centre_in_row(top, 24);
      slide(state, setting);
      break;
    case Setting::Kind::Text:
      type(state, setting);
      break;
  }
  if (!setting.is_standard()) {
    ImGui::SameLine(ImGui::GetWindowWidth() - px(56));
    centre_in_row(top, 26);
    if (ui::icon_button("reset", icon::kRetry, "Reset to the standard value"))
      state.commands.run("setting.reset." + setting.id);
  }
  ImGui::SetCursorPos({left, top + px(kRow)});
  ImGui::Dummy({0, 0});
  ImGui::PopID();
}

void draw_keys_and_privacy(State& state) {
  ImGui::Dummy({0, px(8)});
  ui::heading("Keys");
  ui::muted("Every key belongs to a command of one table; they are read-only.");
  if (ui::button("List all keys (F1)", icon::kKeyboard)) {
    state.settings_dialog = {};
    state.show_cheat_sheet = true;
  }
  ImGui::Dummy({0, px(8)});
  ui::heading("Privacy");
  ui::wrapped(kPrivacy, Token::Muted);
}

}  // namespace

void draw_settings(State& state) {
  SettingsDialog& dialog = state.settings_dialog;
  if (!dialog.is_open) return;
  if (dialog.wants_focus) ImGui::SetNextWindowFocus();
  if (begin_overlay("settings", 680, 748, dialog.is_open)) {
    {
      FontScope font(Font::SemiBold, kTitleText - 2);
      ImGui::TextUnformatted("Settings");
    }
    ImGui::Dummy({0, px(2)});
    if (dialog.wants_focus) ImGui::SetKeyboardFocusHere();
    dialog.wants_focus = false;
    ImGui::SetNextItemWidth(-FLT_MIN);
    ImGui::InputTextWithHint("##query", "Search settings", &dialog.query);
    if (!dialog.problem.empty()) ui::wrapped(dialog.problem, Token::Error);
    const std::vector<const Setting*> found = state.settings.search(dialog.query);
    if (ImGui::BeginChild("rows")) {
      std::string section;
      for (const Setting* setting : found) {
        if (setting->section != section) {
          ImGui::Dummy({0, px(6)});
          ui::heading(setting->section.c_str());
          section = setting->section;
        }
        draw_row(state, *setting);
      }
      if (found.empty()) ui::muted("No setting is called that");
      if (dialog.query.empty()) draw_keys_and_privacy(state);
    }
    ImGui::EndChild();
  }
  ImGui::End();
}

}  // namespace sparsescope::frame
