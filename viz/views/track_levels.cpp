#include "viz/views/track_levels.h"

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/views/inks.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kEdgePixels = 3;  // a handle let go this near to the frame's edge is taken off; at scale 1

// Where a level that is not in force waits to be dragged: a minimum below, a maximum above.
double waiting_place(const LevelMark& level, Range y) {
  return level.none > y.maximum ? y.maximum : y.minimum;
}

void draw_words(double y, const std::string& words, ImU32 ink) {
  const Range shown = plot::shown_y();
  const ImVec2 at = plot::pixels(plot::shown_x().minimum, y);
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, words.c_str());
  // Above the line, where there is room.
  const bool is_above = at.y - size.y - px(3) > plot::pixels(0, shown.maximum).y;
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1,
            {at.x + px(6), is_above ? at.y - size.y - px(2) : at.y + px(2)}, ink, words.c_str());
}

// The grip at the right end of a line.
void draw_grip(double y, ImU32 ink) {
  const ImVec2 at = plot::pixels(plot::shown_x().maximum, y);
  const float half = px(5);
  ImGui::GetWindowDrawList()->AddRectFilled({at.x - px(22), at.y - half}, {at.x - px(4), at.y + half}, ink,
                                            half);
}

void let_go(const LevelMark& level, double y, ViewContext& context) {
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
               level.words + (drag.is_held ? " " + format_number(y, 4)
                              : is_off     ? ": drag it in"
                                           : ""),
               ink);
  } else if (!is_off) {
    draw_words(y, level.words + " " + format_number(level.y, 4), ink);
  }
  if (drag.is_released) let_go(level, y, context);
}

}  // namespace

void draw_levels(const TrackPlot& request, ViewContext& context) {
  int id = 0;
  for (const LevelMark& level : request.track.levels) {
    ++id;
    const bool is_handle = !level.control.empty() && context.post && context.trainer != nullptr &&
                           context.trainer->control(level.control) != nullptr &&
                           current_purpose() == Purpose::Screen;
    if (is_handle) {
      draw_handle(id, level, context);
    } else if (std::isfinite(level.y) && request.track.y.contains(level.y)) {
      const bool is_strong = level.weight == Weight::Strong;
      plot::horizontal(level.y, {ink_color(level.ink, 0, request.picture.run), is_strong ? 2.f : 1.f,
                                 is_strong ? plot::Dash::Solid : plot::Dash::Dashed});
      draw_words(level.y, level.words, color(Token::Muted));
    }
  }
}

}  // namespace sparsescope::viz
