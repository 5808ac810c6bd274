// The channel tree of the left panel.
#include <fmt/format.h>

#include <algorithm>

#include "imgui_internal.h"
#include "viz/model/format.h"
#include "viz/views/run_list_panel.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

constexpr float kRow = 24;

void draw_row_text(const ChannelRow& row, ImVec2 at, float width, float indent, bool is_shown) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const std::string& value = row.kind == ChannelRow::Kind::Element ? row.value : row.shape;
  const ImVec2 number = text_size(Font::Mono, kSmallText - 0.5f, value.c_str());
  const ImVec2 name = text_size(Font::Regular, kSmallText + 0.5f, row.label.c_str());
  const float x = at.x + indent;
  const Token label = row.kind == ChannelRow::Kind::More ? Token::Muted
                      : is_shown                         ? Token::Accent
                                                         : Token::Text;
  draw_text_within(list, Font::Regular, kSmallText + 0.5f, {x, at.y + (px(kRow) - name.y) / 2},
                   at.x + width - number.x - px(14) - x, color(label), row.label);
  draw_text(list, Font::Mono, kSmallText - 0.5f,
            {at.x + width - number.x - px(6), at.y + (px(kRow) - number.y) / 2},
            color(row.kind == ChannelRow::Kind::Element ? Token::Text
                  : row.is_here                         ? Token::Muted
                                                        : Token::Faint),
            value.c_str());
}

}  // namespace

void RunListPanel::draw_channels(ViewContext& context, Run& run, float height, const Element& show,
                                 const Shown& shows) {
  if (run.schema() == nullptr) return ui::muted("What it records is not known yet");
  const Cursor& cursor = context.timeline.cursor();
  const std::uint64_t step = cursor.is_following() ? run.newest_step() : cursor.step();
  const std::vector<ChannelRow> rows = channel_rows(run, step, channels);
  if (rows.empty()) return ui::muted("No channel matches “" + channels.filter + "”");
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
  if (ImGui::BeginChild("channels", {0, std::min(height, px(kRow) * static_cast<float>(rows.size()))})) {
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.size()), px(kRow));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const ChannelRow& row = rows[static_cast<std::size_t>(i)];
        const trace::Channel& channel = run.schema()->channels[row.channel];
        ImGui::PushID(static_cast<int>(row.channel));
        ImGui::PushID(row.kind == ChannelRow::Kind::Channel ? -1 : static_cast<int>(row.element));
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x;
        const bool pressed = ImGui::InvisibleButton("row", {width, px(kRow)}, ImGuiButtonFlags_EnableNav);
        ImDrawList* list = ImGui::GetWindowDrawList();
        if (ImGui::IsItemHovered())
          list->AddRectFilled(at, {at.x + width, at.y + px(kRow)}, color(Token::Hover), px(3));
        ImGui::RenderNavCursor({at, {at.x + width, at.y + px(kRow)}}, ImGui::GetItemID());
        if (row.kind == ChannelRow::Kind::Channel) {
          if (pressed && row.can_open && !channels.open.erase(channel.name))
            channels.open.insert(channel.name);
          if (row.can_open && icons_available()) {
            const char* glyph = row.is_open ? icon::kChevronDown : icon::kChevronRight;
            const ImVec2 size = text_size(Font::Regular, kBodyText, glyph);
            draw_text(list, Font::Regular, kBodyText, {at.x + px(1), at.y + (px(kRow) - size.y) / 2},
                      color(Token::Muted), glyph);
          }
          draw_row_text(row, at, width, px(18), false);
          ui::tooltip(channel.text.empty() ? channel.name : channel.text, row.detail);
        } else {
          const bool is_shown = shows && shows(row.channel, row.element);
          draw_row_text(row, at, width, px(30), is_shown);
          if (pressed && show && row.kind == ChannelRow::Kind::Element) show(row.channel, row.element);
          if (row.kind == ChannelRow::Kind::Element)
            ui::tooltip(channel.name + ": " + row.label + ", " + row.value,
                        !show      ? channel.text
                        : is_shown ? "Click takes it off the timeline"
                                   : "Click shows it on the timeline");
        }
        ImGui::PopID();
        ImGui::PopID();
      }
    }
  }
  ImGui::EndChild();
  ImGui::PopStyleVar();
}

}  // namespace sparsescope::viz
