#include "viz/views/token_strip.h"

#include <algorithm>
#include <cmath>

#include "viz/views/token_parts.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr float kLine = kTokenRow + 2;
constexpr float kBetween = 2;

std::uint8_t marked(const StripToken& token, StripMarks marks) {
  switch (marks) {
    case StripMarks::Reads:
      return token.read_by_locked;
    case StripMarks::Readers:
      return token.reads_locked;
    case StripMarks::None:
      break;
  }
  return 0;
}

}  // namespace

void TokenStrip::lay_out(const TokenPicture& picture, float width) {
  std::vector<std::int64_t> ids;
  for (const StripToken& token : picture.strip) ids.push_back(token.name.id);
  const bool has_words = picture.hidden.empty();
  if (ids == ids_ && width == width_ && current_scale() == scale_ && has_words == has_words_) return;
  ids_ = std::move(ids);
  width_ = width;
  scale_ = current_scale();
  has_words_ = has_words;
  lines_.assign(1, {});
  float x = 0;
  for (std::size_t i = 0; i < picture.strip.size(); ++i) {
    const float taken = std::max(px(kTokenRow), token_link_width(picture.strip[i].name, width));
    if (x + taken > width && x > 0) {
      lines_.emplace_back();
      x = 0;
    }
    lines_.back().push_back({i, x, taken});
    x += taken + px(kBetween);
    if (picture.strip[i].ends_line) x = width;  // the text goes on below, as it does on paper
  }
}

std::int64_t TokenStrip::moved(std::int64_t token, Walk key) const {
  CellWalk walk;
  for (std::size_t line = 0; line < lines_.size(); ++line) {
    for (const Place& place : lines_[line]) {
      if (static_cast<std::int64_t>(place.token) == token)
        walk.hold({static_cast<std::int64_t>(line), static_cast<std::int64_t>(place.token)});
    }
  }
  if (!walk.is_walking()) return token;
  const CellWalk::Place from = *walk.place();
  walk.move(key, std::ssize(lines_), std::ssize(ids_));
  if (walk.place()->row == from.row) return walk.place()->column;
  // The token of the other line that stands nearest below or above.
  const auto x_of = [&](std::int64_t wanted) {
    for (const Place& place : lines_[static_cast<std::size_t>(from.row)]) {
      if (static_cast<std::int64_t>(place.token) == wanted) return place.x + place.width / 2;
    }
    return 0.f;
  };
  const float x = x_of(token);
  const std::vector<Place>& line = lines_[static_cast<std::size_t>(walk.place()->row)];
  const auto nearest = std::ranges::min_element(
      line, {}, [&](const Place& place) { return std::abs(place.x + place.width / 2 - x); });
  return nearest == line.end() ? token : static_cast<std::int64_t>(nearest->token);
}

void TokenStrip::draw(ViewContext& context, const TokenPicture& picture, StripMarks marks, float height,
                      std::optional<std::int64_t> held) {
  if (picture.strip.empty()) return;
  const float inner = ImGui::GetContentRegionAvail().x - ImGui::GetStyle().ScrollbarSize;
  lay_out(picture, inner);
  const float line = px(kLine), whole = line * static_cast<float>(lines_.size());
  height = std::max(line, std::floor(height / line) * line);  // whole lines
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
  if (ImGui::BeginChild("probe text", {0, std::min(height, whole)})) {
    const std::optional<std::int64_t> lock = context.selection.locked.token;
    if (lock != shown_lock_ || held != shown_held_) {
      const std::optional<std::int64_t> wanted = held && held != shown_held_ ? held : lock;
      shown_lock_ = lock;
      shown_held_ = held;
      for (std::size_t i = 0; wanted && i < lines_.size(); ++i) {
        const auto has = [&](const Place& place) {
          return static_cast<std::int64_t>(place.token) == *wanted;
        };
        if (std::none_of(lines_[i].begin(), lines_[i].end(), has)) continue;
        const float top = line * static_cast<float>(i), shown = ImGui::GetScrollY();
        if (top < shown || top + line > shown + std::min(height, whole))
          ImGui::SetScrollY(std::max(0.f, top - std::min(height, whole) / 2));
      }
    }
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(lines_.size()), line);
    ImDrawList* list = ImGui::GetWindowDrawList();
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const float y = origin.y + line * static_cast<float>(i);
        for (const Place& place : lines_[static_cast<std::size_t>(i)]) {
          const StripToken& token = picture.strip[place.token];
          const ImVec2 at{origin.x + place.x, y};
          ImGui::SetCursorScreenPos(at);
          token_link(context, token.name, inner);
          if (token.is_needle)
            list->AddRect({at.x - px(1), at.y + px(1)},
                          {at.x + place.width + px(1), at.y + px(kTokenRow - 1)}, color(Token::Warn), px(3),
                          0, px(1.5f));
          if (const std::uint8_t reasons = marked(token, marks); reasons != 0)
            reason_stroke(list, {at.x + px(3), at.y + px(kTokenRow - 4)},
                          {at.x + place.width - px(3), at.y + px(kTokenRow - 4)}, reasons, px(2));
          if (context.selection.locked.vocabulary_id == token.name.id)
            list->AddCircleFilled({at.x + place.width - px(3), at.y + px(5)}, px(2.5f), color(Token::Accent),
                                  12);
        }
        ImGui::SetCursorScreenPos({origin.x, y});
        ImGui::Dummy({1, line});
      }
    }
  }
  ImGui::EndChild();
  ImGui::PopStyleVar();
}

}  // namespace sparsescope::viz
