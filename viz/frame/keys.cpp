// From pressed keys to commands. Text fields come first, then dialogs, then the table.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "imgui.h"
#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

ImGuiKey key_from_name(const std::string& name) {
  struct Named {
    const char* name;
    ImGuiKey key;
  };
  static constexpr Named named[] = {{"Space", ImGuiKey_Space},       {"Left", ImGuiKey_LeftArrow},
                                    {"Right", ImGuiKey_RightArrow},  {"Up", ImGuiKey_UpArrow},
                                    {"Down", ImGuiKey_DownArrow},    {"Home", ImGuiKey_Home},
                                    {"End", ImGuiKey_End},           {"PageUp", ImGuiKey_PageUp},
                                    {"PageDown", ImGuiKey_PageDown}, {"Escape", ImGuiKey_Escape},
                                    {"Enter", ImGuiKey_Enter},       {"Tab", ImGuiKey_Tab},
                                    {"Delete", ImGuiKey_Delete},     {"Backspace", ImGuiKey_Backspace},
                                    {"Insert", ImGuiKey_Insert},     {"Pause", ImGuiKey_Pause},
                                    {"[", ImGuiKey_LeftBracket},     {"]", ImGuiKey_RightBracket},
                                    {",", ImGuiKey_Comma},           {".", ImGuiKey_Period},
                                    {"/", ImGuiKey_Slash},           {"+", ImGuiKey_KeypadAdd},
                                    {"-", ImGuiKey_Minus},           {"=", ImGuiKey_Equal},
                                    {";", ImGuiKey_Semicolon},       {"'", ImGuiKey_Apostrophe}};
  for (const Named& candidate : named) {
    if (name == candidate.name) return candidate.key;
  }
  if (name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z')
    return static_cast<ImGuiKey>(ImGuiKey_A + (name[0] - 'A'));
  if (name.size() == 1 && name[0] >= '0' && name[0] <= '9')
    return static_cast<ImGuiKey>(ImGuiKey_0 + (name[0] - '0'));
  if (name.size() >= 2 && name[0] == 'F')
    return static_cast<ImGuiKey>(ImGuiKey_F1 + std::stoi(name.substr(1)) - 1);
  return ImGuiKey_None;
}

// "?" is whatever key types it: the character, not a place on the keyboard.
bool typed_question_mark() {
  const ImGuiIO& io = ImGui::GetIO();
  for (const ImWchar character : io.InputQueueCharacters) {
    if (character == '?') return true;
  }
  return false;
}

// Whether a modifier belongs to the keys of this frame: one that is let go in the frame of the key it was
// held for still does, as when a long frame takes in a whole Ctrl+K.
bool held(ImGuiKey modifier) { return ImGui::IsKeyDown(modifier) || ImGui::IsKeyReleased(modifier); }

bool pressed(const viz::KeyChord& chord, viz::KeyRepeat repeat) {
  if (chord.key == "?") return typed_question_mark();
  if (held(ImGuiMod_Ctrl) != chord.control || held(ImGuiMod_Shift) != chord.shift ||
      held(ImGuiMod_Alt) != chord.alt)
    return false;
  return ImGui::IsKeyPressed(key_from_name(chord.key), repeat == viz::KeyRepeat::WhileHeld);
}

bool is_plain(const viz::KeyChord& chord) {
  return !chord.control && !chord.alt && !(chord.key.size() > 1 && chord.key[0] == 'F');
}

// What a text field does with a chord itself: its own clipboard, undo and moves by words.
bool edits_text(const viz::KeyChord& chord) {
  static constexpr const char* kKeys[] = {"A", "C", "V", "X", "Y", "Z", "Left", "Right", "Home", "End"};
  if (!chord.control || chord.alt) return false;
  if (chord.shift && chord.key != "Z" && chord.key.size() == 1) return false;
  return std::find(std::begin(kKeys), std::end(kKeys), chord.key) != std::end(kKeys);
}

// A dialog has the keys to itself, but leaving is always possible; whether a run stops is asked as ever.
void handle_dialog_keys(State& state) {
  const viz::UiCommand* quit = state.commands.find("app.quit");
  const bool asks_already = state.dialog == Dialog::Quit;
  if (asks_already || std::none_of(quit->keys.begin(), quit->keys.end(),
                                   [&](const viz::KeyChord& chord) { return pressed(chord, quit->repeat); }))
    return;
  state.dialog = Dialog::None;
  run_command(state, quit->id);
}

}  // namespace

ImGuiKey imgui_key(const viz::KeyChord& chord) { return key_from_name(chord.key); }

void handle_keys(State& state) {
  ImGuiIO& io = ImGui::GetIO();
  // The keyboard walks through widgets in a dialog, on the start page, and from window.walk until Escape or a
  // click; else keys are commands.
  const bool in_dialog = state.dialog != Dialog::None;
  const bool on_start_page = state.timeline.runs().empty() || state.show_start_page;
  const bool walks = (io.ConfigFlags & ImGuiConfigFlags_NavEnableKeyboard) != 0;
  if ((in_dialog || on_start_page) && !walks) {
    io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
    state.walks_by_itself = true;
  } else if (walks && !in_dialog && !on_start_page &&
             (state.walks_by_itself || ImGui::IsKeyPressed(ImGuiKey_Escape, false) ||
              ImGui::IsMouseClicked(ImGuiMouseButton_Left))) {
    io.ConfigFlags &= ~ImGuiConfigFlags_NavEnableKeyboard;
    state.walks_by_itself = false;
  }
  if (in_dialog) return handle_dialog_keys(state);

  const bool popup_open =
      ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel);
  const auto acts = [&](const viz::UiCommand& command, const viz::KeyChord& chord) {
    const bool is_escape = chord.key == "Escape";
    if (!pressed(chord, command.repeat)) return false;
    if (io.WantTextInput && ((is_plain(chord) && !is_escape) || edits_text(chord))) return false;
    if (popup_open && (is_plain(chord) || is_escape)) return false;
    const bool walks_now = walks && (io.NavVisible || on_start_page);
    if (walks && chord.key == "Tab") return false;
    if (walks_now && is_plain(chord) && chord.key.size() > 1 && !is_escape) return false;
    if ((state.palette.is_open || state.settings_dialog.is_open) && is_plain(chord) && !is_escape)
      return false;
    return command.view.empty() || command.view == state.focused_view;
  };
  // A cell that a view holds comes before time: the focused view before the window.
  for (const bool owns : {true, false}) {
    for (const viz::UiCommand& command : state.commands.all()) {
      if (static_cast<bool>(command.owns_keys) != owns || (owns && !command.owns_keys())) continue;
      for (const viz::KeyChord& chord : command.keys) {
        if (!acts(command, chord)) continue;
        state.last_key_command = command.id;
        const std::string id = command.id;  // the command may change the table
        return run_command(state, id);
      }
    }
  }
}

}  // namespace sparsescope::frame
