// Dialogs that ask for one thing: a file, whether to leave. And toasts, which ask for nothing.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

namespace fs = std::filesystem;

}  // namespace

bool begin_dialog(State& state, const char* title, float width) {
  if (state.dialog_opens) {
    ImGui::OpenPopup(title);
    state.dialog_opens = false;
  }
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::SetNextWindowPos({size.x / 2, size.y * 0.4f}, ImGuiCond_Always, {0.5f, 0.5f});
  ImGui::SetNextWindowSize({std::min(px(width), size.x - px(24)), 0});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(20), px(18)});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, ImGui::GetStyle().PopupBorderSize);
  const bool open = ImGui::BeginPopupModal(title, nullptr,
                                           ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize |
                                               ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings);
  ImGui::PopStyleVar(2);
  if (!open) {
    state.dialog = Dialog::None;
    return false;
  }
  FontScope font(Font::SemiBold, kTitleText - 2);
  ImGui::TextUnformatted(title);
  ImGui::Dummy({0, px(4)});
  return true;
}

void close_dialog(State& state) {
  state.dialog = Dialog::None;
  ImGui::CloseCurrentPopup();
}

namespace {

void show_problem(const State& state) {
  if (!state.dialog_problem.empty()) ui::wrapped(state.dialog_problem, Token::Error);
}

// Folders and recordings that begin like what was typed, so that a path is a few keys and a click.
void completions(State& state) {
  std::error_code failure;
  const fs::path typed = state.dialog_text;
  const fs::path folder = typed.has_parent_path() ? typed.parent_path() : fs::path(".");
  const std::string beginning = typed.filename().string();
  std::vector<std::pair<std::string, bool>> found;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end && found.size() < 400;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(beginning) || (name.starts_with('.') && beginning.empty())) continue;
    std::error_code ignored;
    const bool is_folder = it->is_directory(ignored);
    if (is_folder || it->path().extension() == ".h5") found.emplace_back(it->path().string(), is_folder);
  }
  std::sort(found.begin(), found.end());
  if (ImGui::BeginChild("completions", {0, px(220)})) {
    for (const auto& [path, is_folder] : found) {
      const std::string name = fs::path(path).filename().string() + (is_folder ? "/" : "");
      ImGui::PushStyleColor(ImGuiCol_Text, color4(is_folder ? Token::Muted : Token::Text));
      if (ImGui::Selectable(name.c_str(), false, ImGuiSelectableFlags_NoAutoClosePopups))
        state.dialog_text = path + (is_folder ? "/" : "");
      ImGui::PopStyleColor();
    }
    if (found.empty()) ui::muted(failure ? "No such folder" : "No recording (.h5) here");
  }
  ImGui::EndChild();
}

void open_dialog(State& state) {
  if (!begin_dialog(state, "Open a recording", 620)) return;
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(-FLT_MIN);
  const bool entered = ImGui::InputText("##path", &state.dialog_text, ImGuiInputTextFlags_EnterReturnsTrue);
  show_problem(state);
  completions(state);
  if (ui::button("Open", "", ui::Tone::Accent, {px(110), px(32)}) || entered) {
    open_file(state, state.dialog_text);
    state.dialog_problem = state.start_problem;
    if (state.dialog_problem.empty()) close_dialog(state);
  }
  ImGui::SameLine();
  if (ui::button("Cancel", "", ui::Tone::Neutral, {px(110), px(32)}) ||
      ImGui::IsKeyPressed(ImGuiKey_Escape, false))
    close_dialog(state);
  ImGui::EndPopup();
}

void quit_dialog(State& state) {
  if (!begin_dialog(state, "Training is still running", 560)) return;
  const std::string where =
      state.recorder.path.empty()
          ? ""
          : " The recording " + fs::path(state.recorder.path).filename().string() + " is closed whole.";
  ui::wrapped("Stopping ends the run after the present step." + where +
                  " Without the window it goes on in the background until its last step.",
              Token::Muted);
  ImGui::Dummy({0, px(8)});
  if (ui::button("Stop and save", icon::kStop, ui::Tone::Accent, {px(148), px(34)})) {
    close_dialog(state);
    state.host.quit(Leave::StopAndSave);
  }
  ImGui::SameLine();
  if (ui::button("Keep training without window", "", ui::Tone::Neutral, {px(244), px(34)})) {
    close_dialog(state);
    state.host.quit(Leave::KeepTraining);
  }
  ImGui::SameLine();
  if (ui::button("Cancel", "", ui::Tone::Neutral, {px(90), px(34)}) ||
      ImGui::IsKeyPressed(ImGuiKey_Escape, false))
    close_dialog(state);
  ImGui::EndPopup();
}

}  // namespace

void draw_dialogs(State& state) {
  switch (state.dialog) {
    case Dialog::None:
      return;
    case Dialog::Open:
      return open_dialog(state);
    case Dialog::Quit:
      return quit_dialog(state);
    case Dialog::Export:
      return draw_export_dialog(state);
    case Dialog::NewRun:
      return draw_new_run(state);
  }
}

void draw_toasts(State& state, const Area& above) {
  float bottom = above.min.y - px(12);
  int shown = 0;
  for (std::size_t i = state.toasts.size(); i-- > 0 && shown < 3; ++shown) {
    const Toast& toast = state.toasts[i];
    ImFont* font = handle(Font::Regular);
    const float size = text_size(Font::Regular, kSmallText + 0.5f, "X").y, wrap = px(380);
    const ImVec2 words = font->CalcTextSizeA(size, FLT_MAX, wrap, toast.text.c_str());
    const ImVec2 corner{above.max.x - px(16), bottom};
    const ImVec2 at{corner.x - words.x - px(32), corner.y - words.y - px(20)};
    ImDrawList* list = ImGui::GetForegroundDrawList();
    list->AddRectFilled({at.x - px(2), at.y + px(2)}, {corner.x + px(2), corner.y + px(4)},
                        color(Token::Bg, 0.6f), px(6));
    list->AddRectFilled(at, corner, color(Token::Raised), px(6));
    list->AddRect(at, corner, color(Token::Line), px(6));
    list->AddRectFilled({at.x, at.y + px(6)}, {at.x + px(3), corner.y - px(6)},
                        color(ui::token_of(toast.tone)));
    list->AddText(font, size, {at.x + px(16), at.y + px(10)}, color(Token::Text), toast.text.c_str(), nullptr,
                  wrap);
    bottom = at.y - px(8);
  }
}

}  // namespace sparsescope::frame
