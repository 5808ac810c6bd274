#include "viz/views/track_levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "viz/model/format.h"
#include "viz/views/inks.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kFaintMark = 0.3f;  // of layers that are not the chosen one
constexpr float kGrip = 22;         // from the right end of a line to the left one of its grip; at scale 1
constexpr float kEdgePixels = 3;    // a handle let go this near to the frame's edge is taken off; at scale 1

// Where a level that is not in force waits to be dragged: a minimum below, a maximum above.
double waiting_place(const LevelMark& level, Range y) {
  return level.none > y.maximum ? y.maximum : y.minimum;
}

enum class End { Left, Right };    // of the line its words stand at
enum class Side { Above, Below };  // of the line

void draw_words(double y, const std::string& words, ImU32 ink, End end, Side side = Side::Above) {
  const Range shown = plot::shown_y();
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, words.c_str());
  ImVec2 at = plot::pixels(end == End::Left ? plot::shown_x().minimum : plot::shown_x().maximum, y);
  if (end == End::Right) at.x -= size.x + px(kGrip + 8);
  // On its side of the line, where there is room.
  const bool fits_above = at.y - size.y - px(3) > plot::pixels(0, shown.maximum).y;
  const bool fits_below = at.y + size.y + px(4) < plot::pixels(0, shown.minimum).y;
  const bool is_above = side == Side::Above ? fits_above : !fits_below;
  // Words about all that is below stand at the foot of the plot, where lines are rarer.
  const float below = side == Side::Below ? plot::pixels(0, shown.minimum).y - size.y - px(3) : at.y + px(2);
  const ImVec2 place{at.x + px(6), is_above ? at.y - size.y - px(2) : below};
  if (end == End::Right)  // where the newest values of lines are
    ImGui::GetWindowDrawList()->AddRectFilled({place.x - px(3), place.y},
                                              {place.x + size.x + px(3), place.y + size.y},
                                              color(Token::Panel, 0.85f), px(3));
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, place, ink, words.c_str());
}

// The grip at the right end of a line.
void draw_grip(double y, ImU32 ink) {
  const ImVec2 at = plot::pixels(plot::shown_x().maximum, y);
  const float half = px(5);
  ImGui::GetWindowDrawList()->AddRectFilled({at.x - px(kGrip), at.y - half}, {at.x - px(4), at.y + half}, ink,
                                            half);
}

// Marks stand along a level that a person sets, most of them where runs begin.
End end_of(const LevelMark& level) { return level.command.empty() ? End::Left : End::Right; }

// "θ at least 0.42", "level 20 %".
std::string value_words(const LevelMark& level, double y) {
  return level.words + " " + format_number(y * level.per_unit, level.command.empty() ? 4 : 3) + level.unit;
}

void let_go(const LevelMark& level, double y, ViewContext& context) {
  // As the words at the line said it.
  if (!level.command.empty())
    return context.run_command_with(level.command, fmt::format("{:.3g}", y * level.per_unit));
  const Range shown = plot::shown_y();
  const double near =
      static_cast<double>(px(kEdgePixels)) * shown.width() /
      std::max(1.0, static_cast<double>(plot::pixels(0, shown.minimum).y - plot::pixels(0, shown.maximum).y));
  const trace::Control* control = context.trainer->control(level.control);
  const bool is_off = y <= shown.minimum + near || y >= shown.maximum - near;
  context.post(trace::SetControl{level.control,
                                 is_off ? level.none : std::clamp(y, control->minimum, control->maximum)});
}

void draw_handle(int id, const LevelMark& level, ViewContext& context) {
  const Range shown = plot::shown_y();
  const bool is_off = !std::isfinite(level.y);
  const double rest = is_off ? waiting_place(level, shown) : level.y;
  const plot::Drag drag = plot::drag_horizontal(id, rest);
  const double y = drag.is_held || drag.is_released ? std::clamp(drag.y, shown.minimum, shown.maximum) : rest;
  const bool is_bright = drag.is_hovered || drag.is_held;
  const ImU32 ink = is_bright ? color(Token::Accent) : ink_color(level.ink, 0, 0);
  if (!is_off || drag.is_held) plot::horizontal(y, {ink, is_bright ? 2.f : 1.5f, plot::Dash::Dashed});
  draw_grip(y, ink);
  if (is_bright) {
    draw_words(y,
               drag.is_held || !level.command.empty() ? value_words(level, y)
               : is_off                               ? level.words + ": drag it in"
                                                      : level.words,
               ink, end_of(level));
  } else if (!is_off) {
    draw_words(y, value_words(level, level.y), ink, end_of(level));
  }
  if (drag.is_released) let_go(level, y, context);
}

// The words of crossings, from left to right: each in the first row that has room, below the level or else
// above it; those that find none are told by their tooltip.
class CrossingWordsRows {
 public:
  void add(const CrossingMark& mark) {
    const std::string words = mark.is_from_the_start
                                  ? fmt::format("layer {}, from the start", mark.layer)
                                  : fmt::format("layer {}, step {}", mark.layer,
                                                format_count(static_cast<std::int64_t>(mark.step)));
    const ImVec2 at = plot::pixels(mark.x, mark.y);
    const ImVec2 size = text_size(Font::Regular, kSmallText - 1, words.c_str());
    const float step = size.y + px(2), bottom = plot::pixels(mark.x, plot::shown_y().minimum).y,
                top = plot::pixels(mark.x, plot::shown_y().maximum).y;
    if (at.x + size.x > plot::pixels(plot::shown_x().maximum, mark.y).x) return;
    for (std::size_t row = 0; row < free_from_.size(); ++row) {
      const bool is_below = at.y + px(8) + size.y < bottom;
      const float y = is_below ? at.y + px(8) + static_cast<float>(row) * step
                               : at.y - px(9) - size.y - static_cast<float>(row) * step;
      if (y + size.y > bottom || y < top) return;
      if (at.x < free_from_[row]) continue;
      free_from_[row] = at.x + size.x + px(12);
      ImDrawList* list = ImGui::GetWindowDrawList();
      list->AddRectFilled({at.x - px(3), y}, {at.x + size.x + px(3), y + size.y}, color(Token::Panel, 0.85f),
                          px(3));
      return draw_text(list, Font::Regular, kSmallText - 1, {at.x, y}, color(Token::Text), words.c_str());
    }
  }

 private:
  std::array<float, 3> free_from_{-1e9f, -1e9f, -1e9f};
};

}  // namespace

void draw_levels(const TrackPlot& request, ViewContext& context, LevelLayer layer) {
  int id = 0;
  for (const LevelMark& level : request.track.levels) {
    ++id;
    if (level.command.empty() != (layer == LevelLayer::UnderLines)) continue;
    const bool holds_control = !level.control.empty() && context.post && context.trainer != nullptr &&
                               context.trainer->control(level.control) != nullptr;
    const bool is_set_here = !level.command.empty() && context.run_command_with;
    if ((holds_control || is_set_here) && current_purpose() == Purpose::Screen) {
      draw_handle(id, level, context);
    } else if (std::isfinite(level.y) && request.track.y.contains(level.y)) {
      const bool is_strong = level.weight == Weight::Strong;
      plot::horizontal(level.y, {ink_color(level.ink, 0, request.picture.run), is_strong ? 2.f : 1.f,
                                 is_strong ? plot::Dash::Solid : plot::Dash::Dashed});
      draw_words(level.y, level.command.empty() ? level.words : value_words(level, level.y),
                 color(Token::Muted), end_of(level), is_strong ? Side::Below : Side::Above);
    }
  }
}

void draw_crossings(const TrackPlot& request, const Selection& selection) {
  const auto& chosen = selection.hover_before.layer ? selection.hover_before.layer : selection.locked.layer;
  std::vector<const CrossingMark*> marks;
  for (const CrossingMark& mark : request.track.crossings) {
    if (mark.is_found && request.picture.x.contains(mark.x)) marks.push_back(&mark);
  }
  std::ranges::stable_sort(marks, {}, &CrossingMark::x);
  CrossingWordsRows rows;
  for (const CrossingMark* mark : marks) {
    const auto line = std::ranges::find(request.track.lines, std::optional(mark->layer), &LinePicture::layer);
    if (line == request.track.lines.end()) continue;
    const bool is_other = chosen && *chosen != mark->layer;
    const ImU32 ink = ink_color(line->ink, line->place, request.picture.run, is_other ? kFaintMark : 1);
    plot::dot(mark->x, mark->y, 5.5f, ink);
    if (!mark->is_from_the_start) plot::dot(mark->x, mark->y, 3.2f, color(Token::Panel));
    if (!is_other) rows.add(*mark);
  }
}

}  // namespace sparsescope::viz
