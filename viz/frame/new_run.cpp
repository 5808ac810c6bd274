// The dialog for a new run: preset and device on the left with what the run will need, every value of the
// experiment on the right, start and save below. Values are checked by the host as they are typed.
#include "viz/frame/new_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/trace/error.h"
#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/new_run_fields.h"
#include "viz/frame/state.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTitle = "New run";
constexpr float kWidth = 1120, kLeftWidth = 292, kFooter = 74;  // at scale 1

// The form of a preset on a device, with what was changed before when `carried` is given.
void make_form(State& state, const std::string& preset, const std::string& device,
               const viz::NewRunForm* carried) {
  NewRunDialog& dialog = state.new_run;
  dialog.outcome.clear();
  try {
    viz::NewRunForm form = state.host.new_run_form(preset, device);
    if (carried != nullptr) viz::carry_changes(*carried, form);
    state.host.check_form(form);
    dialog.form = std::move(form);
    const std::string folder =
        dialog.file.empty() ? state.host.figures_folder() : fs::path(dialog.file).parent_path().string();
    dialog.file = (fs::path(folder) / (preset + "-changed.toml")).string();
  } catch (const Error& error) {
    dialog.form.reset();
    dialog.why_none = error.what();
  }
}

void preset_rows(State& state, const viz::NewRunForm& form) {
  ui::heading("Preset");
  std::string wanted;
  for (const PresetCard& preset : state.presets) {
    ImGui::PushID(preset.name.c_str());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, height = px(44);
    const bool is_chosen = preset.name == form.preset;
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, px(2)});
    if (ImGui::InvisibleButton("preset", {width, height}, ImGuiButtonFlags_EnableNav)) wanted = preset.name;
    ImGui::PopStyleVar();
    ImDrawList* list = ImGui::GetWindowDrawList();
    if (is_chosen || ImGui::IsItemHovered())
      list->AddRectFilled(at, {at.x + width, at.y + height},
                          is_chosen ? color(Token::AccentSurface) : color(Token::Line, 0.4f), px(4));
    draw_text_within(list, Font::Medium, kBodyText - 1, {at.x + px(10), at.y + px(4)}, width - px(20),
                     color(is_chosen ? Token::Accent : Token::Text), preset.name);
    draw_text_within(list, Font::Regular, kSmallText - 1, {at.x + px(10), at.y + px(24)}, width - px(20),
                     color(Token::Muted), preset.title);
    ui::tooltip(preset.title, preset.text);
    ImGui::PopID();
  }
  // Another preset is another experiment: what was changed of the last one does not follow.
  if (!wanted.empty() && wanted != form.preset) make_form(state, wanted, form.device, nullptr);
}

void device_choice(State& state) {
  const viz::NewRunForm form = *state.new_run.form;
  ImGui::Dummy({0, px(4)});
  ui::heading("Device");
  const auto chosen = std::find_if(form.devices.begin(), form.devices.end(),
                                   [&](const viz::FormDevice& device) { return device.id == form.device; });
  ImGui::SetNextItemWidth(-FLT_MIN);
  if (ImGui::BeginCombo("##device", chosen != form.devices.end() ? chosen->words.c_str() : "")) {
    for (const viz::FormDevice& device : form.devices) {
      ImGui::BeginDisabled(!device.why_not.empty());
      if (ImGui::Selectable(device.words.c_str(), device.id == form.device))
        make_form(state, form.preset, device.id, &form);
      ImGui::EndDisabled();
      if (!device.why_not.empty() && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        ImGui::SetTooltip("%s", device.why_not.c_str());
    }
    ImGui::EndCombo();
  }
  ui::tooltip(form.device_note + ": the values of the preset that are in force");
}

void estimate_rows(const viz::NewRunForm& form) {
  ImGui::Dummy({0, px(4)});
  ui::heading("It will need");
  if (form.estimates.empty()) ui::muted("Known once every value will do");
  for (const viz::FormEstimate& estimate : form.estimates) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ui::row(estimate.name, estimate.value, Token::Text);
    ImGui::SetCursorScreenPos(at);
    ImGui::PushID(estimate.name.c_str());
    ImGui::InvisibleButton("estimate", {ImGui::GetContentRegionAvail().x, px(20)});
    if (!estimate.detail.empty()) ui::tooltip(estimate.name + " is " + estimate.value, estimate.detail);
    ImGui::PopID();
  }
}

void filters(NewRunDialog& dialog) {
  const viz::NewRunForm& form = *dialog.form;
  ImGui::SetNextItemWidth(px(260));
  ImGui::InputTextWithHint("##search", "Search values", &dialog.search);
  const float beside = ImGui::GetItemRectMin().y - ImGui::GetCursorScreenPos().y + ImGui::GetCursorPosY() +
                       std::floor((ImGui::GetFrameHeight() - px(24)) / 2);  // of a toggle, in the middle
  ImGui::SameLine(0, px(16));
  ImGui::SetCursorPosY(beside);
  ui::toggle("Advanced", dialog.shows_advanced);
  ui::tooltip("Show every value; a search always looks at all of them");
  ImGui::SameLine(0, px(16));
  ImGui::SetCursorPosY(beside);
  const std::string changed = fmt::format("Changed ({})###changed", form.changed());
  ui::toggle(changed.c_str(), dialog.shows_changed_only);
  ui::tooltip("Show only what differs from the preset");
}

void save(State& state) {
  NewRunDialog& dialog = state.new_run;
  try {
    state.host.save_experiment(*dialog.form, dialog.file);
    dialog.has_saved = true;
    dialog.outcome = "Saved; sparsescope-cli train --experiment " + dialog.file + " runs it";
  } catch (const Error& error) {
    dialog.has_saved = false;
    dialog.outcome = error.what();
  }
}

// Every dialog's look, but as high as the window allows, so that values scroll and nothing else does.
bool begin_tall(State& state) {
  if (state.dialog_opens) {
    ImGui::OpenPopup(kTitle);
    state.dialog_opens = false;
  }
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::SetNextWindowPos({size.x / 2, size.y / 2}, ImGuiCond_Always, {0.5f, 0.5f});
  ImGui::SetNextWindowSize({std::min(px(kWidth), size.x - px(24)), size.y * 0.88f});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(20), px(18)});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, ImGui::GetStyle().PopupBorderSize);
  const bool open =
      ImGui::BeginPopupModal(kTitle, nullptr,
                             ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize |
                                 ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                                 ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  ImGui::PopStyleVar(2);
  if (!open) {
    state.dialog = Dialog::None;
    return false;
  }
  FontScope font(Font::SemiBold, kTitleText - 2);
  ImGui::TextUnformatted(kTitle);
  ImGui::Dummy({0, px(4)});
  return true;
}

bool start_run(State& state) {
  try {
    state.host.start_run(*state.new_run.form);
  } catch (const Error& error) {
    state.new_run.has_saved = false;
    state.new_run.outcome = error.what();
    return false;
  }
  state.last_preset = state.new_run.form->preset;
  state.show_start_page = false;
  state.start_problem.clear();
  if (!state.timeline.runs().empty()) state.selection.run = state.timeline.runs().back()->id();
  state.timeline.cursor().follow();
  return true;
}

void start(State& state) {
  if (start_run(state)) close_dialog(state);
}

bool cancel_pressed(State& state) {
  const bool pressed = ui::button("Cancel", "", ui::Tone::Neutral, {px(100), px(34)}) ||
                       (ImGui::IsKeyPressed(ImGuiKey_Escape, false) && !ImGui::IsAnyItemActive());
  if (pressed) close_dialog(state);
  return pressed;
}

void footer(State& state) {
  NewRunDialog& dialog = state.new_run;
  const std::string not_ready = dialog.form->why_not_ready();
  const std::string no_training = state.host.why_no_training();
  const std::string reason = !not_ready.empty() ? not_ready : no_training;
  const std::string& words = !dialog.outcome.empty() ? dialog.outcome : reason;
  const Token ink = !dialog.outcome.empty() ? (dialog.has_saved ? Token::Ok : Token::Error)
                    : !not_ready.empty()    ? Token::Error
                                            : Token::Warn;
  {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText, at,
                     ImGui::GetContentRegionAvail().x, color(ink), words);
    ImGui::Dummy({ImGui::GetContentRegionAvail().x, px(18)});
    if (!words.empty()) ui::tooltip(words);
  }
  ImGui::BeginDisabled(!reason.empty());
  if (ui::button("Start training", icon::kPlay, ui::Tone::Accent, {px(156), px(34)})) start(state);
  ImGui::EndDisabled();
  if (state.dialog != Dialog::NewRun) return;
  ImGui::SameLine();
  if (cancel_pressed(state)) return;
  ImGui::SameLine(0, px(32));
  ImGui::BeginDisabled(!not_ready.empty());
  if (ui::button("Save as TOML", icon::kSave, ui::Tone::Neutral, {px(150), px(34)})) save(state);
  ImGui::EndDisabled();
  ui::tooltip("Writes the whole experiment; the command line runs it unchanged");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(-FLT_MIN);
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::floor((px(34) - ImGui::GetFrameHeight()) / 2));
  ImGui::InputText("##file", &dialog.file);
}

// Without a trainer the dialog says why, and what can be done instead.
void no_form(State& state) {
  ui::wrapped("This window cannot train: " + state.new_run.why_none + ".", Token::Warn);
  ImGui::Dummy({0, px(8)});
  const std::string no_demo = state.commands.why_disabled("file.demo");
  ImGui::BeginDisabled(!no_demo.empty());
  if (ui::button("Open the demo recording", icon::kDemo, ui::Tone::Accent, {px(220), px(34)})) {
    close_dialog(state);
    state.commands.run("file.demo");
  }
  ImGui::EndDisabled();
  if (state.dialog != Dialog::NewRun) return;
  ImGui::SameLine();
  cancel_pressed(state);
}

void with_form(State& state) {
  NewRunDialog& dialog = state.new_run;
  const float height = ImGui::GetContentRegionAvail().y - px(kFooter);
  if (ImGui::BeginChild("left", {px(kLeftWidth), height})) {
    preset_rows(state, *dialog.form);
    if (dialog.form) device_choice(state);
    if (dialog.form) estimate_rows(*dialog.form);
  }
  ImGui::EndChild();
  if (!dialog.form) return;
  ImGui::SameLine(0, px(20));
  if (ImGui::BeginChild("right", {0, height})) {
    filters(dialog);
    ImGui::Dummy({0, px(2)});
    if (ImGui::BeginChild("values")) {
      const FieldFilter filter{dialog.search, dialog.shows_advanced, dialog.shows_changed_only};
      if (draw_form_fields(*dialog.form, filter)) {
        dialog.outcome.clear();
        state.host.check_form(*dialog.form);
      }
    }
    ImGui::EndChild();
  }
  ImGui::EndChild();
  ImGui::Dummy({0, px(2)});
  footer(state);
}

}  // namespace

void open_new_run(State& state, const std::string& preset) {
  state.new_run = {};
  make_form(state, preset.empty() ? preset_to_start(state) : preset, "", nullptr);
  state.open_dialog(Dialog::NewRun);
}

void draw_new_run(State& state) {
  if (state.new_run.form ? !begin_tall(state) : !begin_dialog(state, kTitle, 560)) return;
  state.new_run.form ? with_form(state) : no_form(state);
  ImGui::EndPopup();
}

void add_new_run_commands(State& state) {
  state.commands.add({"file.new_run",
                      "New run: choose every value…",
                      "File",
                      {viz::chord_from_text("Ctrl+N")},
                      [&state] { open_new_run(state, ""); },
                      {},
                      {}});
}

}  // namespace sparsescope::frame
