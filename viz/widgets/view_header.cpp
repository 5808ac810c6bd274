// What stands around every view's picture: title row, help, and the states in which there is no picture.
#include <fmt/format.h>

#include <algorithm>

#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/icons.h"

namespace sparsescope::ui {
namespace {

void help_popup(const ViewHeader& header) {
  ImGui::SetNextWindowSizeConstraints({px(320), 0}, {px(440), px(600)});
  if (!ImGui::BeginPopup("help")) return;
  {
    FontScope font(Font::SemiBold, kBodyText);
    ImGui::TextUnformatted(header.title.c_str());
  }
  ImGui::Spacing();
  {
    FontScope font(Font::Regular, kSmallText + 0.5f);
    std::size_t from = 0;
    while (from <= header.help.size()) {
      const std::size_t to = std::min(header.help.find('\n', from), header.help.size());
      wrapped(header.help.substr(from, to - from));
      from = to + 1;
    }
  }
  ImGui::EndPopup();
}

constexpr float kTakeawayLine = 16, kRoomForTwoLines = 190;  // at scale 1

// On one line, or on two where the first does not hold it and the view is high enough.
struct Takeaway {
  Fit fit = Fit::Whole;
  int lines = 1;
};
Takeaway draw_takeaway(ImDrawList* list, ImVec2 at, float width, float height, const std::string& words) {
  const auto draw = [&](ImVec2 place, const std::string& line) {
    return draw_text_within(list, Font::Regular, kSmallText, place, width, color(Token::Muted), line).fit;
  };
  const ImVec2 whole = text_size(Font::Regular, kSmallText, words.c_str());
  if (whole.x <= width || height < px(kRoomForTwoLines)) return {draw(at, words), 1};
  ImFont* font = handle(Font::Regular);
  const float size = ImGui::GetFontSize() * kSmallText / kBodyText;
  const char* begin = words.c_str();
  const char* rest = font->CalcWordWrapPosition(size, begin, begin + words.size(), width);
  draw(at, std::string(begin, rest));
  while (*rest == ' ') ++rest;
  return {draw({at.x, at.y + px(kTakeawayLine)}, rest), 2};
}

}  // namespace

void view_header(const ViewHeader& header, const std::function<void()>& settings) {
  ImGui::PushID("view header");
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const bool is_screen = current_purpose() == Purpose::Screen;
  const bool has_settings = is_screen && settings, has_help = is_screen && !header.help.empty();
  const int buttons = (has_settings ? 1 : 0) + (has_help ? 1 : 0);
  const float right = at.x + width - static_cast<float>(buttons) * px(28);
  ImDrawList* list = ImGui::GetWindowDrawList();
  float x = at.x;
  if (header.run != Token::Count) {
    list->AddCircleFilled({x + px(5), at.y + px(10)}, px(4.5f), color(header.run), 16);
    x += px(16);
  }
  const float limit = right - px(6);
  x += draw_text_within(list, Font::SemiBold, kBodyText, {x, at.y}, limit - x, color(Token::Text),
                        header.title)
           .width +
       px(6);
  const Fit detail = draw_text_within(list, Font::Regular, kBodyText, {x, at.y}, limit - x,
                                      color(Token::Muted), header.detail)
                         .fit;
  const auto [takeaway, lines] = draw_takeaway(list, {at.x, at.y + px(20)}, limit - at.x,
                                               ImGui::GetContentRegionAvail().y, header.takeaway);

  ImGui::SetCursorScreenPos({right, at.y - px(3)});
  if (has_settings) {
    if (icon_button("settings", icon::kSettings, "Settings")) ImGui::OpenPopup("settings popup");
    if (ImGui::BeginPopup("settings popup")) {
      settings();
      ImGui::EndPopup();
    }
    ImGui::SameLine(0, px(2));
  }
  if (has_help) {
    if (icon_button("help button", icon::kHelp, "What is drawn here")) ImGui::OpenPopup("help");
    help_popup(header);
  }
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy(
      {width - static_cast<float>(buttons) * px(28), px(24 + kTakeawayLine * static_cast<float>(lines))});
  if (detail == Fit::Shortened || takeaway == Fit::Shortened)
    tooltip(header.title + " " + header.detail, header.takeaway);
  ImGui::PopID();
}

bool empty_state(const char* icon, const std::string& sentence, const char* action, Tone tone) {
  const ImVec2 at = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float wrap = std::min(room.x - px(24), px(420));
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImFont* font = handle(Font::Regular);
  const float size = ImGui::GetFontSize() * (kBodyText - 0.5f) / kBodyText;
  const ImVec2 words = font->CalcTextSizeA(size, FLT_MAX, wrap, sentence.c_str());
  const float icon_height = icons_available() ? px(40) : 0;
  const float total = icon_height + words.y + (action != nullptr ? px(50) : 0);
  float y = at.y + std::max(0.f, (room.y - total) / 2);
  const float middle = at.x + room.x / 2;
  if (icons_available()) {
    const ImVec2 extent = text_size(Font::Regular, kDisplayText, icon);
    draw_text(list, Font::Regular, kDisplayText, {middle - extent.x / 2, y},
              color(tone == Tone::Neutral ? Token::Faint : token_of(tone)), icon);
    y += icon_height;
  }
  list->AddText(font, size, {middle - words.x / 2, y}, color(Token::Muted), sentence.c_str(), nullptr, wrap);
  y += words.y + px(14);
  bool pressed = false;
  if (action != nullptr) {
    const float width = ImGui::CalcTextSize(action).x + 2 * ImGui::GetStyle().FramePadding.x;
    ImGui::SetCursorScreenPos({middle - width / 2, y});
    pressed = button(action, "", Tone::Accent);
  }
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy(room);
  return pressed;
}

void behind_mark(const std::string& sentence) {
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, sentence.c_str());
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + px(2), at.y + size.y + px(4)}, color(Token::Warn));
  draw_text(list, Font::Regular, kSmallText - 1, {at.x + px(8), at.y + px(2)}, color(Token::Warn),
            sentence.c_str());
  ImGui::Dummy({size.x + px(8), size.y + px(4)});
}

bool error_state(const std::string& sentence, const std::string& details, bool can_retry) {
  const bool retry = empty_state(icon::kAlert, sentence, can_retry ? "Retry" : nullptr, Tone::Error);
  ImGui::SetCursorScreenPos({ImGui::GetItemRectMin().x, ImGui::GetItemRectMax().y - px(30)});
  if (!details.empty() && ImGui::SmallButton("Copy details")) ImGui::SetClipboardText(details.c_str());
  return retry;
}

}  // namespace sparsescope::ui
