// The small controls: buttons, pills, numbers, sliders, progress.
#include "viz/widgets/controls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "imgui_internal.h"
#include "viz/widgets/icons.h"

namespace sparsescope::ui {
namespace {

ImVec4 surface_of(Tone tone) {
  if (tone == Tone::Neutral) return color4(Token::Raised);
  if (tone == Tone::Accent) return color4(Token::AccentSurface);
  const ImVec4 ink = color4(token_of(tone)), back = color4(Token::Panel);
  const float share = 0.16f;
  return {back.x + (ink.x - back.x) * share, back.y + (ink.y - back.y) * share,
          back.z + (ink.z - back.z) * share, 1};
}

ImVec4 lifted(ImVec4 from, float share) {
  const ImVec4 to = color4(Token::Text);
  return {from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share,
          from.z + (to.z - from.z) * share, from.w};
}

void push_button_colors(Tone tone) {
  const ImVec4 surface = surface_of(tone);
  ImGui::PushStyleColor(ImGuiCol_Button, surface);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, lifted(surface, 0.08f));
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, lifted(surface, 0.16f));
  ImGui::PushStyleColor(ImGuiCol_Border,
                        tone == Tone::Neutral ? color4(Token::Line) : color4(token_of(tone), 0.8f));
  ImGui::PushStyleColor(ImGuiCol_Text, tone == Tone::Neutral ? color4(Token::Text) : color4(token_of(tone)));
}

}  // namespace

Token token_of(Tone tone) {
  switch (tone) {
    case Tone::Neutral:
      return Token::Muted;
    case Tone::Accent:
      return Token::Accent;
    case Tone::Ok:
      return Token::Ok;
    case Tone::Warn:
      return Token::Warn;
    case Tone::Error:
      return Token::Error;
  }
  return Token::Muted;
}

bool button(const char* label, const char* icon, Tone tone, ImVec2 size) {
  push_button_colors(tone);
  const bool with_icon = icon != nullptr && *icon != 0 && icons_available();
  // Whatever stands before it, a button is called by its words.
  const bool has_id = std::string_view(label).find("###") != std::string_view::npos;
  std::string words = with_icon ? fmt::format("{}  {}", icon, label) : label;
  if (with_icon && !has_id) words += fmt::format("###{}", label);
  const bool pressed = ImGui::Button(words.c_str(), size);
  ImGui::PopStyleColor(5);
  return pressed;
}

bool icon_button(const char* id, const char* icon, const char* words, Tone tone) {
  ImGui::PushStyleColor(ImGuiCol_Button, ImVec4{0, 0, 0, 0});
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, color4(Token::Hover));
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, color4(Token::Hover));
  ImGui::PushStyleColor(ImGuiCol_Text, tone == Tone::Neutral ? color4(Token::Muted) : color4(token_of(tone)));
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0.f);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2{0, 0});
  const bool with_icon = icons_available();
  const std::string label = fmt::format("{}###{}", with_icon ? icon : words, id);
  // Targets stay at least 24 pixels wide and high.
  const ImVec2 size = with_icon ? ImVec2{px(26), px(26)}
                                : ImVec2{text_size(Font::Regular, kBodyText, words).x + px(8), px(26)};
  const bool pressed = ImGui::Button(label.c_str(), size);
  ImGui::PopStyleVar(2);
  ImGui::PopStyleColor(4);
  if (with_icon) tooltip(words);
  return pressed;
}

void pill(const std::string& text, Tone tone, const char* icon) {
  const bool with_icon = *icon != 0 && icons_available();
  const std::string words = with_icon ? fmt::format("{} {}", icon, text) : text;
  const ImVec2 size = text_size(Font::Medium, kSmallText, words.c_str());
  const ImVec2 at = ImGui::GetCursorScreenPos(), padding{px(8), px(3)};
  const ImVec2 corner{at.x + size.x + 2 * padding.x, at.y + size.y + 2 * padding.y};
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, corner, ImGui::ColorConvertFloat4ToU32(surface_of(tone)), px(4));
  draw_text(list, Font::Medium, kSmallText, {at.x + padding.x, at.y + padding.y}, color(token_of(tone)),
            words.c_str());
  ImGui::Dummy({corner.x - at.x, corner.y - at.y});
}

void stat(const std::string& value, const std::string& behind, const char* label, const char* widest) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 number = text_size(Font::MonoMedium, 16, value.c_str());
  const ImVec2 name = text_size(Font::Regular, kSmallText - 1, label);
  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_text(list, Font::MonoMedium, 16, at, color(Token::Text), value.c_str());
  float right = number.x;
  if (!behind.empty()) {
    const ImVec2 size = text_size(Font::Mono, kSmallText - 1, behind.c_str());
    draw_text(list, Font::Mono, kSmallText - 1,
              {at.x + number.x + px(6), at.y + number.y - size.y - px(1.5f)}, color(Token::Muted),
              behind.c_str());
    right += px(6) + size.x;
  }
  draw_text(list, Font::Regular, kSmallText - 1, {at.x, at.y + px(20)}, color(Token::Muted), label);
  const float reserved = *widest != 0 ? text_size(Font::MonoMedium, 16, widest).x : 0;
  ImGui::Dummy({std::max({right, name.x, reserved}), px(20) + name.y});
}

bool segmented(const char* id, std::span<const char* const> names, int& index) {
  bool changed = false;
  ImGui::PushID(id);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0.f);
  for (int i = 0; i < static_cast<int>(names.size()); ++i) {
    if (i > 0) ImGui::SameLine(0, px(2));
    push_button_colors(i == index ? Tone::Accent : Tone::Neutral);
    if (ImGui::Button(names[static_cast<std::size_t>(i)]) && i != index) {
      index = i;
      changed = true;
    }
    ImGui::PopStyleColor(5);
  }
  ImGui::PopStyleVar(2);
  ImGui::PopID();
  return changed;
}

bool slider(const char* id, double& value, double minimum, double maximum, Steps steps, float width,
            const std::string& words) {
  ImGuiWindow* window = ImGui::GetCurrentWindow();
  if (window->SkipItems) return false;
  const ImGuiID item = window->GetID(id);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float length = px(width), height = px(24), radius = px(6);
  const ImRect bounds(at, {at.x + length, at.y + height});
  const ImVec2 text = text_size(Font::Mono, kSmallText, words.c_str());
  ImGui::ItemSize(ImVec2{length + (words.empty() ? 0 : px(10) + text.x), height});
  if (!ImGui::ItemAdd(bounds, item)) return false;
  bool hovered = false, held = false;
  ImGui::ButtonBehavior(bounds, item, &hovered, &held, ImGuiButtonFlags_PressedOnClick);

  // A logarithmic track that begins at zero has zero at its left end and four decades right of it.
  const bool is_logarithmic = steps == Steps::Logarithmic;
  const double zero_share = is_logarithmic && minimum <= 0 ? 0.05 : 0;
  const double lowest = minimum > 0 ? minimum : maximum * 1e-4;
  const auto share_of = [&](double v) {
    if (!is_logarithmic) return std::clamp((v - minimum) / (maximum - minimum), 0.0, 1.0);
    if (v < lowest) return 0.0;
    return std::clamp(zero_share + (1 - zero_share) * std::log(v / lowest) / std::log(maximum / lowest), 0.0,
                      1.0);
  };
  const auto value_of = [&](double share) {
    if (!is_logarithmic) return minimum + share * (maximum - minimum);
    if (share < zero_share) return minimum;
    return lowest * std::pow(maximum / lowest, (share - zero_share) / (1 - zero_share));
  };
  const double before = value;
  if (held) {
    value = value_of(
        std::clamp((ImGui::GetMousePos().x - bounds.Min.x - radius) / (length - 2 * radius), 0.f, 1.f));
  } else if (ImGui::IsItemFocused() && ImGui::GetIO().NavVisible) {
    const double step = ImGui::GetIO().KeyShift ? 0.1 : 0.01;
    if (ImGui::IsKeyPressed(ImGuiKey_LeftArrow)) value = value_of(std::max(0.0, share_of(value) - step));
    if (ImGui::IsKeyPressed(ImGuiKey_RightArrow)) value = value_of(std::min(1.0, share_of(value) + step));
  }

  ImDrawList* list = window->DrawList;
  const bool is_disabled = (ImGui::GetItemFlags() & ImGuiItemFlags_Disabled) != 0;
  const float dim = is_disabled ? 0.45f : 1.f;
  const float y = std::floor(at.y + height / 2) + 0.5f;
  const float handle_x = bounds.Min.x + radius + static_cast<float>(share_of(value)) * (length - 2 * radius);
  const float thickness = px(3);
  list->AddLine({bounds.Min.x, y}, {bounds.Max.x, y}, color(Token::Line, dim), thickness);
  list->AddLine({bounds.Min.x, y}, {handle_x, y}, color(Token::Accent, dim), thickness);
  if (hovered || held) list->AddCircleFilled({handle_x, y}, radius + px(3), color(Token::Accent, 0.25f), 24);
  list->AddCircleFilled({handle_x, y}, radius, color(Token::Text, dim), 24);
  ImGui::RenderNavCursor(bounds, item);
  if (!words.empty()) {
    draw_text(list, Font::Mono, kSmallText, {bounds.Max.x + px(10), at.y + (height - text.y) / 2},
              color(Token::Text, dim), words.c_str());
  }
  if (value != before) {
    ImGui::MarkItemEdited(item);
    return true;
  }
  return false;
}

bool toggle(const char* label, bool& on) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const char* end = ImGui::FindRenderedTextEnd(label);  // what stands behind ## is its name only
  const ImVec2 text = text_size(Font::Regular, kBodyText - 1, label, end);
  const float width = px(30), height = px(16), row_height = px(24);
  const bool pressed =
      ImGui::InvisibleButton(label, {width + px(8) + text.x, row_height}, ImGuiButtonFlags_EnableNav);
  if (pressed) on = !on;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float top = at.y + (row_height - height) / 2;
  list->AddRectFilled({at.x, top}, {at.x + width, top + height},
                      on ? color(Token::Accent) : color(Token::Faint), height / 2);
  list->AddCircleFilled({at.x + (on ? width - height / 2 : height / 2), top + height / 2}, height / 2 - px(2),
                        color(Token::Panel), 16);
  draw_text(list, Font::Regular, kBodyText - 1, {at.x + width + px(8), at.y + (row_height - text.y) / 2},
            color(Token::Text), label, end);
  return pressed;
}

bool progress(const char* id, double fraction, const std::string& text, bool can_cancel) {
  ImGui::PushID(id);
  bool cancelled = false;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = px(3);
  list->AddRectFilled(at, {at.x + width, at.y + height}, color(Token::Line), height / 2);
  const float share = fraction < 0 ? 0.3f : static_cast<float>(std::clamp(fraction, 0.0, 1.0));
  list->AddRectFilled(at, {at.x + width * share, at.y + height},
                      color(Token::Accent, fraction < 0 ? 0.5f : 1.f), height / 2);
  ImGui::Dummy({width, height});
  muted(text);
  if (can_cancel) {
    ImGui::SameLine();
    cancelled = ImGui::SmallButton("Cancel");
  }
  ImGui::PopID();
  return cancelled;
}

void key_cap(const std::string& keys) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 size = text_size(Font::Mono, kSmallText - 1, keys.c_str());
  const ImVec2 corner{at.x + size.x + px(12), at.y + size.y + px(4)};
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, corner, color(Token::Raised), px(4));
  list->AddRect(at, corner, color(Token::Line), px(4));
  draw_text(list, Font::Mono, kSmallText - 1, {at.x + px(6), at.y + px(2)}, color(Token::Text), keys.c_str());
  ImGui::Dummy({corner.x - at.x, corner.y - at.y});
}

void muted(const std::string& text) {
  FontScope font(Font::Regular, kSmallText);
  ImGui::TextColored(color4(Token::Muted), "%s", text.c_str());
}

void wrapped(const std::string& text, Token ink) {
  ImGui::PushStyleColor(ImGuiCol_Text, color4(ink));
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

void mono(const std::string& text, Token ink) {
  FontScope font(Font::Mono, kSmallText);
  ImGui::TextColored(color4(ink), "%s", text.c_str());
}

void row(const std::string& label, const std::string& value, Token ink) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = px(24);
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 number = text_size(Font::Mono, kSmallText - 0.5f, value.c_str());
  const ImVec2 name = text_size(Font::Regular, kSmallText + 0.5f, label.c_str());
  list->PushClipRect(at, {at.x + width - number.x - px(8), at.y + height}, true);
  draw_text(list, Font::Regular, kSmallText + 0.5f, {at.x, at.y + (height - name.y) / 2}, color(Token::Text),
            label.c_str());
  list->PopClipRect();
  draw_text(list, Font::Mono, kSmallText - 0.5f, {at.x + width - number.x, at.y + (height - number.y) / 2},
            color(ink), value.c_str());
  ImGui::Dummy({width, height - ImGui::GetStyle().ItemSpacing.y});
}

void heading(const char* text) {
  FontScope font(Font::SemiBold, kSmallText - 0.5f);
  ImGui::TextColored(color4(Token::Muted), "%s", text);
}

void tooltip(const std::string& text, const std::string& detail) {
  if (!ImGui::BeginItemTooltip()) return;
  {
    FontScope font(Font::Regular, kSmallText);
    ImGui::PushTextWrapPos(px(360));
    ImGui::TextUnformatted(text.c_str());
    if (!detail.empty()) ImGui::TextColored(color4(Token::Muted), "%s", detail.c_str());
    ImGui::PopTextWrapPos();
  }
  ImGui::EndTooltip();
}

}  // namespace sparsescope::ui
