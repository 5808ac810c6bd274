// The tracks over the minimap: ruler, bookmarks, small charts and lanes of events for the part of the run
// that is shown.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/frame/time_bar.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

constexpr float kRulerTop = 8, kFlagTop = 25, kFlagBottom = 46;  // at scale 1
constexpr std::size_t kWordsShown = 6;                           // events named in a tooltip

void label_left(const Area& area, float top, float height, const std::string& label,
                const std::string& value) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float right = area.min.x - px(16), left = area.min.x - px(kTransportWidth - 2);
  const ImVec2 number = text_size(Font::Mono, kSmallText - 1, value.c_str());
  const ImVec2 line = text_size(Font::Regular, kSmallText - 1, "X");
  const float y = top + (height - line.y) / 2;
  draw_text(list, Font::Mono, kSmallText - 1, {right - number.x, y}, color(Token::Text), value.c_str());
  draw_text_within(list, Font::Regular, kSmallText - 1, {left, y}, right - number.x - px(8) - left,
                   color(Token::Muted), label);
}

void chart_marks(const viz::Chart& chart, const Ruler& ruler, float top, float bottom, Token ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto y_of = [&](double value) {
    const double share = (value - chart.values.minimum) / chart.values.width();
    return bottom - px(2) - static_cast<float>(share) * (bottom - top - px(4));
  };
  std::vector<ImVec2> line;
  const auto flush = [&] {
    if (line.size() > 1)
      list->AddPolyline(line.data(), static_cast<int>(line.size()), color(ink), line_px(1.3f));
    if (line.size() == 1) list->AddCircleFilled(line[0], px(1.5f), color(ink), 8);
    line.clear();
  };
  for (const viz::ChartPoint& point : chart.points) {
    if (!std::isfinite(point.value)) {
      flush();  // not-a-number leaves a gap
      continue;
    }
    const float x = ruler.pixel(point.x);
    if (point.maximum > point.minimum)
      list->AddRectFilled({x - 0.5f, y_of(point.maximum)}, {x + 0.5f, y_of(point.minimum)}, color(ink, 0.3f));
    line.push_back({x, y_of(point.value)});
  }
  flush();
}

const viz::Chart& kept_chart(State& state, const viz::Run& run, const viz::ChartChoice& choice,
                             const Ruler& ruler, std::size_t place) {
  std::vector<KeptChart>& all = state.time_bar.kept_charts;
  if (all.size() <= place) all.resize(place + 1);
  KeptChart& kept = all[place];
  const auto columns = static_cast<std::size_t>(std::max(16.f, ruler.right - ruler.left));
  if (kept.run != run.id() || kept.choice != choice || kept.axis != ruler.axis || kept.shown != ruler.range ||
      kept.columns != columns || kept.rows != run.rows()) {
    kept = {run.id(),
            choice,
            ruler.axis,
            ruler.range,
            columns,
            run.rows(),
            viz::chart_of(run, choice, ruler.axis, ruler.range, columns, 0)};
  }
  kept.chart.present = viz::value_at(run, choice, state.timeline.cursor().step());
  return kept.chart;
}

void draw_chart(State& state, const viz::Run& run, const viz::ChartChoice& choice, const Ruler& ruler,
                const Area& area, float top, std::size_t place) {
  const float bottom = top + px(kChartHeight);
  const viz::Chart& chart = kept_chart(state, run, choice, ruler, place);
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled({area.min.x, top + px(1)}, {area.max.x, bottom - px(1)}, color(Token::Raised), px(2));
  const std::string value = !chart.is_recorded ? "not recorded"
                            : chart.present    ? viz::format_unit(*chart.present, chart.unit)
                                               : viz::kAbsent;
  label_left(area, top, px(kChartHeight), viz::words_of(choice), value);
  list->PushClipRect({area.min.x, top}, {area.max.x, bottom}, true);
  chart_marks(chart, ruler, top, bottom, run_token(static_cast<int>(run.id())));
  list->PopClipRect();
  const ImVec2 mouse = ImGui::GetMousePos();
  if (!pointer_is_here() || mouse.y < top || mouse.y >= bottom ||
      mouse.x < area.min.x - px(kTransportWidth) || mouse.x > area.max.x || !chart.is_recorded ||
      chart.points.empty())
    return;
  std::string words = fmt::format("{}\n{} to {} in what is shown", viz::words_of(choice),
                                  viz::format_number(chart.values.minimum),
                                  viz::format_unit(chart.values.maximum, chart.unit));
  if (mouse.x >= area.min.x) {
    const std::uint64_t step = run.step_at(ruler.value(mouse.x), ruler.axis);
    if (const std::optional<double> there = viz::value_at(run, choice, step))
      words += fmt::format("\n{} at step {}", viz::format_number(*there, 6),
                           viz::format_count(static_cast<std::int64_t>(step)));
  }
  ImGui::SetTooltip("%s", words.c_str());
}

Token ink_of(viz::Lane lane) {
  if (lane == viz::Lane::Alerts) return Token::Warn;
  return lane == viz::Lane::Commands ? Token::Accent : Token::Muted;
}

// One mark: a bar, wider with a notch when it stands for several, and their count where there is room.
void lane_mark(const viz::FoldedMark& mark, float x, float room, float top, Token ink, bool is_hot) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float middle = top + px(kLaneHeight) / 2, half = px(is_hot ? 5 : 4), width = px(2);
  if (mark.count() == 1) {
    list->AddRectFilled({x - width / 2, middle - half}, {x + width / 2, middle + half}, color(ink));
    return;
  }
  const float reach = px(2.5f);
  const ImVec2 zigzag[] = {{x - reach, middle - half},
                           {x + reach, middle - half / 3},
                           {x - reach, middle + half / 3},
                           {x + reach, middle + half}};
  list->AddPolyline(zigzag, 4, color(ink), px(1.6f));
  const std::string count = std::to_string(mark.count());
  const ImVec2 size = text_size(Font::Mono, kSmallText - 3, count.c_str());
  if (size.x + px(6) <= room)
    draw_text(list, Font::Mono, kSmallText - 3, {x + px(4), middle - size.y / 2}, color(Token::Muted),
              count.c_str());
}

std::string words_of_mark(const viz::Run& run, const std::vector<std::uint32_t>& items,
                          const viz::FoldedMark& mark) {
  std::string words;
  for (std::size_t i = mark.begin; i < mark.end && i < mark.begin + kWordsShown; ++i) {
    const viz::Event& event = run.events()[items[i]];
    words += fmt::format("{}step {}: {}", words.empty() ? "" : "\n",
                         viz::format_count(static_cast<std::int64_t>(event.step)), event.words);
  }
  if (mark.count() > kWordsShown) words += fmt::format("\nand {} more", mark.count() - kWordsShown);
  return words;
}

// Returns the step of the mark under the pointer.
std::optional<std::uint64_t> draw_lane(State& state, const viz::Run& run, viz::Lane lane, const Ruler& ruler,
                                       const Area& area, float top) {
  const viz::EventLanes& lanes = state.time_bar.lanes[run.id()];
  const std::vector<std::uint32_t>& items = lanes.of(lane);
  const std::vector<viz::FoldedMark> marks =
      lanes.folded(run, lane, ruler.axis, ruler.range, ruler.units(viz::kFoldPixels));
  label_left(area, top, px(kLaneHeight), viz::lane_name(lane),
             viz::format_count(static_cast<std::int64_t>(items.size())));
  const ImVec2 mouse = ImGui::GetMousePos();
  const bool is_over = pointer_is_here() && mouse.y >= top && mouse.y < top + px(kLaneHeight) &&
                       mouse.x >= area.min.x && mouse.x <= area.max.x;
  const viz::FoldedMark* hovered = nullptr;
  float nearest = px(8);
  for (const viz::FoldedMark& mark : marks) {
    const float distance = std::abs(ruler.pixel(mark.x) - mouse.x);
    if (!is_over || distance >= nearest) continue;
    nearest = distance;
    hovered = &mark;
  }
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const float x = std::floor(ruler.pixel(marks[i].x)) + 0.5f;
    const float next = i + 1 < marks.size() ? ruler.pixel(marks[i + 1].x) : ruler.right + px(20);
    lane_mark(marks[i], x, next - x - px(4), top, ink_of(lane), &marks[i] == hovered);
  }
  if (hovered == nullptr) return std::nullopt;
  ImGui::SetTooltip("%s", words_of_mark(run, items, *hovered).c_str());
  return run.events()[items[hovered->begin]].step;
}

// Brackets at the ends of the loop, in the row of the ruler.
enum class LoopEnd { None, First, Last };
LoopEnd loop_end_under_pointer(const State& state, const viz::Run& run, const Ruler& ruler,
                               const Area& area) {
  const auto& loop = state.timeline.cursor().loop();
  const ImVec2 mouse = ImGui::GetMousePos();
  if (!loop || !pointer_is_here() || mouse.y < area.min.y || mouse.y > area.min.y + px(kHandleTarget))
    return LoopEnd::None;
  const float first = std::abs(mouse.x - ruler.pixel(run.x_of_step(loop->first, ruler.axis)));
  const float last = std::abs(mouse.x - ruler.pixel(run.x_of_step(loop->last, ruler.axis)));
  if (std::min(first, last) > px(kHandleTarget) / 2) return LoopEnd::None;
  return first <= last ? LoopEnd::First : LoopEnd::Last;
}

void loop_handles(const State& state, const viz::Run& run, const Ruler& ruler, const Area& area,
                  LoopEnd hot) {
  const auto& loop = state.timeline.cursor().loop();
  if (!loop) return;
  for (const LoopEnd end : {LoopEnd::First, LoopEnd::Last}) {
    const float x = ruler.pixel(run.x_of_step(end == LoopEnd::First ? loop->first : loop->last, ruler.axis));
    if (x < ruler.left - px(4) || x > ruler.right + px(4)) continue;
    draw_handle(x, area.min.y + px(4), area.min.y + px(23), hot == end);
  }
}

void take_hold(State& state, const Ruler& ruler, LoopEnd loop_end) {
  TimeBar& bar = state.time_bar;
  bar.grabbed_at = ruler.value(ImGui::GetMousePos().x);
  bar.grabbed_range = ruler.range;
  bar.has_moved = false;
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Middle)) {
    bar.grab = Grab::ZoomTo;
  } else if (ImGui::GetIO().KeyShift) {
    bar.grab = Grab::NewLoop;
  } else if (loop_end != LoopEnd::None) {
    bar.grab = loop_end == LoopEnd::First ? Grab::LoopStart : Grab::LoopEnd;
  } else {
    bar.grab = Grab::Cursor;
  }
}

void menu(State& state) {
  if (!ImGui::BeginPopupContextItem("tracks menu")) return;
  for (const char* id : {"annotation.bookmark", "annotation.note", "timeline.loop_from_here",
                         "timeline.loop_to_here", "timeline.loop", "timeline.fit"}) {
    const viz::UiCommand* command = state.commands.find(id);
    const std::string key = command->keys.empty() ? "" : viz::text_from_chord(command->keys[0]);
    if (ImGui::MenuItem(command->words.c_str(), key.c_str(), false, state.commands.why_disabled(id).empty()))
      state.commands.run(id);
  }
  ImGui::EndPopup();
}

}  // namespace

Ruler ruler_of_tracks(const State& state, const Area& area) {
  return {state.timeline.visible(), area.min.x, area.max.x, state.timeline.window().axis()};
}

void draw_tracks(State& state, viz::Run& run, const Area& area) {
  const Ruler ruler = ruler_of_tracks(state, area);
  TimeBar& bar = state.time_bar;
  const float top = area.min.y + px(kHeaderHeight);
  ImGui::SetCursorScreenPos({ruler.left - px(8), area.min.y});
  ImGui::InvisibleButton("tracks", {ruler.right - ruler.left + px(16), area.height()},
                         ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  const bool is_over = ImGui::IsItemHovered(), is_held = ImGui::IsItemActive();
  const bool is_let_go = ImGui::IsItemDeactivated();
  const bool is_taken = ImGui::IsItemActivated();
  menu(state);
  const LoopEnd loop_end = is_over ? loop_end_under_pointer(state, run, ruler, area) : LoopEnd::None;
  if (loop_end != LoopEnd::None) ImGui::SetMouseCursor(ImGuiMouseCursor_ResizeEW);
  if (is_over) {
    zoom_by_wheel(state, ruler);
    state.selection.hover.x = ruler.value(ImGui::GetMousePos().x);
    state.selection.hover.step = run.step_at(*state.selection.hover.x, ruler.axis);
  }

  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_ruler(ruler, area.min.y + px(kRulerTop));
  std::optional<std::uint64_t> pointed;  // the exact step of the mark under the pointer
  float y = top;
  std::size_t place = 0;
  const TrackRows rows = rows_that_fit(state, run, ImGui::GetIO().DisplaySize);
  for (const viz::ChartChoice& choice : rows.charts) {
    draw_chart(state, run, choice, ruler, area, y, place++);
    y += px(kChartHeight);
  }
  for (const viz::Lane lane : rows.lanes) {
    if (const std::optional<std::uint64_t> step = draw_lane(state, run, lane, ruler, area, y)) pointed = step;
    y += px(kLaneHeight);
  }
  list->PushClipRect({ruler.left - px(8), area.min.y}, {ruler.right + px(20), area.max.y}, true);
  draw_missing(run, ruler, top, y);
  draw_loop(state, run, ruler, top, y);
  const Area flags{{area.min.x, area.min.y + px(kFlagTop)}, {area.max.x, area.min.y + px(kFlagBottom)}};
  draw_flags(state, run, ruler, flags, Flags::Large);
  if (const auto flag = flag_under_pointer(state, run, ruler, flags)) pointed = flag;
  loop_handles(state, run, ruler, area, loop_end);
  draw_cursor(state, run, ruler, top - px(4), y);
  list->PopClipRect();

  if (is_taken) take_hold(state, ruler, loop_end);
  if (is_held) drag_on(state, run, ruler);
  // A press on a mark goes to that mark's step, not to a pixel beside it.
  if (is_held && bar.grab == Grab::Cursor && !bar.has_moved && pointed)
    state.timeline.cursor().seek(*pointed);
  if (is_held || is_let_go) zoom_to_drag(state, ruler, top, y);
}

}  // namespace sparsescope::frame
