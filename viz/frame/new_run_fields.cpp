// One row a value: the control by its kind, the rest the same for all.
#include "viz/frame/new_run_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr float kLabelWidth = 196, kControlWidth = 232, kLongWidth = 420, kLongHeight = 76;  // at scale 1

bool is_shown(const viz::FormField& field, const FieldFilter& filter) {
  // What will not do is never hidden.
  if (!field.error.empty()) return true;
  if (filter.shows_changed_only && !field.is_changed()) return false;
  if (filter.search.find_first_not_of(' ') != std::string::npos) return viz::matches(field, filter.search);
  return filter.shows_advanced || !field.is_advanced || field.is_changed();
}

bool choice_control(viz::FormField& field) {
  bool changed = false;
  if (!ImGui::BeginCombo("##value", field.value.c_str())) return false;
  for (const std::string& choice : field.choices) {
    if (ImGui::Selectable(choice.c_str(), choice == field.value) && choice != field.value) {
      field.value = choice;
      changed = true;
    }
  }
  ImGui::EndCombo();
  return changed;
}

bool switch_control(viz::FormField& field) {
  bool on = field.value == "true";
  if (!ui::toggle(on ? "on###value" : "off###value", on)) return false;
  field.value = on ? "true" : "false";
  return true;
}

// Free text, with the names that are known behind an arrow.
bool text_control(viz::FormField& field) {
  const bool has_names = !field.choices.empty();
  if (has_names) ImGui::SetNextItemWidth(px(kControlWidth - 30));
  bool changed = ImGui::InputText("##value", &field.value);
  if (!has_names) return changed;
  ImGui::SameLine(0, px(4));
  if (ImGui::ArrowButton("names", ImGuiDir_Down)) ImGui::OpenPopup("names of values");
  ui::tooltip("Known names; a path of a file, a folder or a pattern will do too");
  if (ImGui::BeginPopup("names of values")) {
    for (const std::string& name : field.choices) {
      if (!ImGui::MenuItem(name.c_str(), nullptr, name == field.value)) continue;
      field.value = name;
      changed = true;
    }
    ImGui::EndPopup();
  }
  return changed;
}

bool control(viz::FormField& field) {
  using Kind = viz::FormField::Kind;
  ImGui::SetNextItemWidth(px(kControlWidth));
  switch (field.kind) {
    case Kind::Switch:
      return switch_control(field);
    case Kind::Choice:
      return choice_control(field);
    case Kind::Text:
      return text_control(field);
    case Kind::LongText:
      return ImGui::InputTextMultiline(
          "##value", &field.value,
          {std::min(px(kLongWidth), ImGui::GetContentRegionAvail().x - px(8)), px(kLongHeight)},
          ImGuiInputTextFlags_WordWrap);
    case Kind::Integer:
    case Kind::Number: {
      FontScope font(Font::Mono, kBodyText - 1);
      return ImGui::InputText("##value", &field.value, ImGuiInputTextFlags_CharsNoBlank);
    }
    case Kind::List: {
      FontScope font(Font::Mono, kBodyText - 1);
      return ImGui::InputText("##value", &field.value);
    }
  }
  return false;
}

// One row: name, control, unit, and a way back when it differs from the preset; below it, what it is or why
// it will not do.
bool draw_field(viz::FormField& field) {
  ImGui::PushID(field.key.c_str());
  const float left = ImGui::GetCursorPosX();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (field.is_changed())
    list->AddRectFilled({at.x - px(10), at.y + px(2)}, {at.x - px(7), at.y + px(26)}, color(Token::Accent),
                        px(1));
  ImGui::AlignTextToFramePadding();
  {
    FontScope font(field.is_changed() ? Font::Medium : Font::Regular, kBodyText - 1);
    ImGui::TextUnformatted(field.label.c_str());
  }
  ui::tooltip(field.key, field.help);
  ImGui::SameLine();
  ImGui::SetCursorPosX(left + px(kLabelWidth));
  if (!field.error.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Border, color4(Token::Error));
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, std::max(1.f, px(1.5f)));
  }
  const bool had_error = !field.error.empty();
  bool changed = control(field);
  if (had_error) {
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
  }
  if (!field.unit.empty()) {
    ImGui::SameLine(0, px(8));
    ImGui::AlignTextToFramePadding();
    ui::muted(field.unit);
  }
  if (field.is_changed()) {
    ImGui::SameLine(0, px(10));
    const std::string words = "Back to " + (field.preset_value.empty() ? "nothing" : field.preset_value);
    if (ui::icon_button("reset", icon::kRetry, words.c_str(), ui::Tone::Accent)) {
      field.value = field.preset_value;
      changed = true;
    }
  }
  ImGui::SetCursorPosX(left + px(kLabelWidth));
  {
    FontScope font(Font::Regular, kSmallText - 0.5f);
    const bool is_wrong = !field.error.empty();
    const std::string range = field.fits.empty() ? "" : " Takes " + field.fits + ".";
    ui::wrapped(is_wrong ? field.error : field.help + range, is_wrong ? Token::Error : Token::Muted);
  }
  ImGui::Dummy({0, px(3)});
  ImGui::PopID();
  return changed;
}

}  // namespace

bool draw_form_fields(viz::NewRunForm& form, const FieldFilter& filter) {
  bool changed = false, any = false;
  std::string section;
  ImGui::Indent(px(12));
  for (viz::FormField& field : form.fields) {
    if (!is_shown(field, filter)) continue;
    any = true;
    if (field.section != section) {
      if (!section.empty()) ImGui::Dummy({0, px(4)});
      section = field.section;
      FontScope font(Font::SemiBold, kBodyText);
      ImGui::TextUnformatted(section.c_str());
      ImGui::Dummy({0, px(1)});
    }
    changed |= draw_field(field);
  }
  ImGui::Unindent(px(12));
  if (!any)
    ui::muted(filter.shows_changed_only ? "Nothing differs from the preset"
                                        : "No value is called that; a key such as model.layers finds one");
  return changed;
}

}  // namespace sparsescope::frame
