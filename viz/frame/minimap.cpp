// The whole run in small: loss, how much happened where, the part that is shown as a window that can be
// dragged and resized, bookmarks, loop and cursor.
#include <algorithm>
#include <cmath>

#include "viz/frame/time_bar.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

constexpr float kDensityHeight = 7, kFlagRow = 22;  // at scale 1
// A window may become no smaller than this share of the run by dragging.
constexpr double kSmallestShare = 1e-4;

// Loss of every run, last value per pixel column.
void loss_lines(const State& state, const Ruler& ruler, float top, float bottom) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto columns = static_cast<std::size_t>(std::max(16.f, (ruler.right - ruler.left) / 2));
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    const viz::Chart chart =
        viz::chart_of(*run, {"scalars", {"cross_entropy"}, false}, ruler.axis, ruler.range, columns, 0);
    std::vector<ImVec2> points;
    double low = 1e300, high = -1e300;
    for (const viz::ChartPoint& point : chart.points) {
      if (!std::isfinite(point.value)) continue;
      low = std::min(low, point.value);
      high = std::max(high, point.value);
    }
    if (high - low < 1e-9) high = low + 1;
    for (const viz::ChartPoint& point : chart.points) {
      if (!std::isfinite(point.value)) continue;
      const auto share = static_cast<float>((point.value - low) / (high - low));
      points.push_back({ruler.pixel(point.x), bottom - px(2) - share * (bottom - top - px(4))});
    }
    list->AddPolyline(points.data(), static_cast<int>(points.size()),
                      color(run_token(static_cast<int>(run->id()))), line_px(1.2f));
  }
}

// How much happened in each stretch, as bars along the bottom; height by count, at least one pixel.
void density_bars(const viz::Run& run, const Ruler& ruler, float bottom) {
  const auto bins = static_cast<std::size_t>(std::max(8.f, (ruler.right - ruler.left) / px(4)));
  const std::vector<std::size_t> counts = viz::event_density(run, ruler.axis, ruler.range, bins);
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  if (most == 0) return;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float width = (ruler.right - ruler.left) / static_cast<float>(bins);
  for (std::size_t i = 0; i < bins; ++i) {
    if (counts[i] == 0) continue;
    const float share = std::sqrt(static_cast<float>(counts[i]) / static_cast<float>(most));
    const float x = ruler.left + width * static_cast<float>(i),
                height = std::max(px(2), px(kDensityHeight) * share);
    list->AddRectFilled({x, bottom - height}, {x + std::max(1.f, width - px(1)), bottom},
                        color(Token::Muted, 0.8f));
  }
}

enum class Part { Outside, Start, Body, End };

Part part_under(float mouse, float left, float right) {
  const float reach = px(kHandleTarget) / 2;
  // Where both handles are within reach the nearer one is meant.
  const float to_left = std::abs(mouse - left), to_right = std::abs(mouse - right);
  if (to_left <= reach && to_left <= to_right) return Part::Start;
  if (to_right <= reach) return Part::End;
  return mouse > left && mouse < right ? Part::Body : Part::Outside;
}

// A press on the window's ends resizes it, on its body moves it; elsewhere, and on a window that is the whole
// run, it moves the cursor.
void take_hold(State& state, const Ruler& ruler, Part part) {
  TimeBar& bar = state.time_bar;
  bar.grabbed_at = ruler.value(ImGui::GetMousePos().x);
  bar.grabbed_range = state.timeline.visible();
  bar.has_moved = false;
  const bool is_chosen = state.timeline.window().chosen().has_value();
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Middle)) {
    bar.grab = Grab::ZoomTo;
  } else if (ImGui::GetIO().KeyShift) {
    bar.grab = Grab::NewLoop;
  } else if (part == Part::Start) {
    bar.grab = Grab::WindowStart;
  } else if (part == Part::End) {
    bar.grab = Grab::WindowEnd;
  } else {
    bar.grab = part == Part::Body && is_chosen ? Grab::Window : Grab::Cursor;
  }
}

void drag_window(State& state, const viz::Run& run, const Ruler& ruler) {
  TimeBar& bar = state.time_bar;
  drag_on(state, run, ruler);
  if (!bar.has_moved) return;
  viz::TimeWindow& window = state.timeline.window();
  const double moved = ruler.value(ImGui::GetMousePos().x) - bar.grabbed_at;
  const viz::Range& was = bar.grabbed_range;
  const double least = ruler.range.width() * kSmallestShare;
  if (bar.grab == Grab::Window) {
    const double first = std::clamp(was.minimum + moved, ruler.range.minimum,
                                    std::max(ruler.range.minimum, ruler.range.maximum - was.width()));
    window.choose({first, first + was.width()});
  } else if (bar.grab == Grab::WindowStart) {
    window.choose({std::clamp(was.minimum + moved, ruler.range.minimum, was.maximum - least), was.maximum});
  } else if (bar.grab == Grab::WindowEnd) {
    window.choose({was.minimum, std::clamp(was.maximum + moved, was.minimum + least, ruler.range.maximum)});
  }
}

const char* hint_of(Part part, bool is_chosen) {
  switch (part) {
    case Part::Start:
    case Part::End:
      return "Drag to show a part of the run";
    case Part::Body:
      return is_chosen ? "Drag to move what is shown; click to go there; F shows everything"
                       : "Click or drag to go there; Shift and drag to loop";
    case Part::Outside:
      return "Click or drag to go there; Shift and drag to loop";
  }
  return "";
}

void interact(State& state, viz::Run& run, const Ruler& ruler, const Area& area, float left, float right,
              Part& hovered) {
  TimeBar& bar = state.time_bar;
  ImGui::SetCursorScreenPos({ruler.left - px(12), area.min.y});
  ImGui::InvisibleButton("minimap", {ruler.right - ruler.left + px(24), area.height()},
                         ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  const bool is_over = ImGui::IsItemHovered(), is_held = ImGui::IsItemActive();
  if (is_over) hovered = part_under(ImGui::GetMousePos().x, left, right);
  if (ImGui::IsItemActivated()) take_hold(state, ruler, hovered);
  const bool is_let_go = ImGui::IsItemDeactivated();
  if (is_held) drag_window(state, run, ruler);
  // A click on the window's body, which might have been a drag, goes to that step.
  if (is_let_go && bar.grab == Grab::Window && !bar.has_moved)
    state.timeline.cursor().seek(run.step_at(bar.grabbed_at, ruler.axis));
  if (is_held || is_let_go) zoom_to_drag(state, ruler, area.min.y, area.max.y);
  if (is_over && !is_held) {
    zoom_by_wheel(state, ruler);
    ImGui::SetItemTooltip("%s", hint_of(hovered, state.timeline.window().chosen().has_value()));
  }
  if (is_over && (hovered == Part::Start || hovered == Part::End))
    ImGui::SetMouseCursor(ImGuiMouseCursor_ResizeEW);
}

}  // namespace

Ruler ruler_of_minimap(const State& state, const Area& area) {
  return {state.timeline.whole(), area.min.x, area.max.x, state.timeline.window().axis()};
}

void draw_minimap(State& state, viz::Run& run, const Area& area, Heading heading) {
  const Ruler ruler = ruler_of_minimap(state, area);
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (heading == Heading::Own) draw_ruler(ruler, area.min.y - px(kFlagRow + 24));
  list->AddRectFilled(area.min, area.max, color(Token::Raised), px(2));
  const viz::Range shown = state.timeline.visible();
  const bool is_chosen = state.timeline.window().chosen().has_value();
  const float left = std::clamp(ruler.pixel(shown.minimum), ruler.left, ruler.right);
  const float right = std::clamp(ruler.pixel(shown.maximum), ruler.left, ruler.right);
  auto hovered = Part::Outside;
  interact(state, run, ruler, area, left, right, hovered);

  list->PushClipRect({ruler.left - px(8), area.min.y - px(60)}, {ruler.right + px(20), area.max.y + px(2)},
                     true);
  loss_lines(state, ruler, area.min.y, area.max.y - px(kDensityHeight));
  density_bars(run, ruler, area.max.y);
  draw_missing(run, ruler, area.min.y, area.max.y);
  draw_loop(state, run, ruler, area.min.y, area.max.y);
  if (is_chosen) {
    list->AddRectFilled({ruler.left, area.min.y}, {left, area.max.y}, color(Token::Bg, 0.65f));
    list->AddRectFilled({right, area.min.y}, {ruler.right, area.max.y}, color(Token::Bg, 0.65f));
    list->AddRect({left, area.min.y}, {right, area.max.y}, color(Token::Muted), px(2));
  }
  const Grab grab = state.time_bar.grab;
  draw_handle(left, area.min.y, area.max.y, hovered == Part::Start || grab == Grab::WindowStart);
  draw_handle(right, area.min.y, area.max.y, hovered == Part::End || grab == Grab::WindowEnd);
  if (heading == Heading::Own) {
    const Area row{{area.min.x, area.min.y - px(kFlagRow + 4)}, {area.max.x, area.min.y - px(4)}};
    draw_flags(state, run, ruler, row, Flags::Large);
  } else {
    draw_flags(state, run, ruler, {area.min, area.max}, Flags::Small);
  }
  draw_cursor(state, run, ruler, area.min.y - px(4), area.max.y);
  list->PopClipRect();
}

}  // namespace sparsescope::frame
