// The timeline: transport, the loss of the whole run in small, events as flags, loop, the cursor, and how far
// we are from live.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr float kTransport = 262;  // width, at scale 1
constexpr float kFold = 3;         // marks nearer than this many pixels become one

// From the time axis of the current run to pixels of the minimap.
struct Ruler {
  viz::Range whole;
  float left = 0, right = 1;
  viz::TimeAxis axis = viz::TimeAxis::Step;
  float pixel(double x) const {
    return left + static_cast<float>((x - whole.minimum) / whole.width()) * (right - left);
  }
  double value(float pixel) const { return whole.minimum + (pixel - left) / (right - left) * whole.width(); }
};

viz::Range whole_range(State& state, viz::TimeAxis axis) {
  viz::Range range{1e300, -1e300};
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    if (run->rows() == 0) continue;
    range.minimum = std::min(range.minimum, run->x(0, axis));
    range.maximum = std::max(range.maximum, run->x(run->rows() - 1, axis));
    const double planned = static_cast<double>(run->planned_steps());
    if (axis == viz::TimeAxis::Step && run->end() == nullptr)
      range.maximum = std::max(range.maximum, planned);
  }
  if (range.maximum < range.minimum) return {0, 1};
  if (range.width() <= 0) range.maximum = range.minimum + 1;
  return range;
}

void command_icon(State& state, const char* id, const char* glyph, ui::Tone tone = ui::Tone::Neutral) {
  const viz::UiCommand* command = state.commands.find(id);
  const std::string reason = state.commands.why_disabled(id);
  const std::string key = command->keys.empty() ? "" : " (" + viz::text_from_chord(command->keys[0]) + ")";
  ImGui::BeginDisabled(!reason.empty());
  if (ui::icon_button(id, glyph, (command->words + key).c_str(), tone)) state.commands.run(id);
  ImGui::EndDisabled();
}

// How far the screen trails the run: the cursor's distance, or what is still waiting to be drawn.
std::string lag_words(State& state, viz::Run& run) {
  const viz::Cursor& cursor = state.timeline.cursor();
  if (!cursor.is_following()) {
    return fmt::format("{} steps back", viz::format_count(static_cast<std::int64_t>(
                                            run.newest_step() - std::min(run.newest_step(), cursor.step()))));
  }
  const std::size_t pending = state.timeline.pending();
  return pending > 0 ? fmt::format("{} frames behind", pending) : "";
}

void transport(State& state, const Area& area) {
  viz::Cursor& cursor = state.timeline.cursor();
  viz::Run* run = state.run();
  const float middle = (area.min.y + area.max.y) / 2;
  ImGui::SetCursorScreenPos({area.min.x + px(10), middle - px(13)});
  command_icon(state, "timeline.first", icon::kFirst);
  ImGui::SameLine(0, px(1));
  command_icon(state, "timeline.back_one", icon::kStepBack);
  ImGui::SameLine(0, px(1));
  command_icon(state, "timeline.play", cursor.is_playing() ? icon::kPause : icon::kPlay,
               cursor.is_playing() ? ui::Tone::Accent : ui::Tone::Neutral);
  ImGui::SameLine(0, px(1));
  command_icon(state, "timeline.forward_one", icon::kStepForward);
  ImGui::SameLine(0, px(1));
  command_icon(state, "timeline.loop", icon::kLoop, cursor.loop() ? ui::Tone::Accent : ui::Tone::Neutral);
  ImGui::SameLine(0, px(6));

  const std::string speed =
      cursor.speed() >= 1 ? fmt::format("×{:g}", cursor.speed()) : fmt::format("×1/{:g}", 1 / cursor.speed());
  {
    FontScope font(Font::Mono, kSmallText);
    ImGui::SetNextItemWidth(px(52));
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2{px(6), px(3)});
    if (ImGui::Button((speed + "###speed").c_str(), {px(44), px(26)})) ImGui::OpenPopup("speeds");
    ImGui::PopStyleVar();
    ui::tooltip("Replay speed, times recorded time");
    if (ImGui::BeginPopup("speeds")) {
      for (double choice = viz::kSlowestSpeed; choice <= viz::kFastestSpeed; choice *= 2) {
        const std::string label =
            choice >= 1 ? fmt::format("×{:g}", choice) : fmt::format("×1/{:g}", 1 / choice);
        if (ImGui::MenuItem(label.c_str(), nullptr, choice == cursor.speed())) cursor.set_speed(choice);
      }
      ImGui::EndPopup();
    }
  }
  if (run == nullptr) return;
  ImGui::SameLine(0, px(6));
  // A recording that is still being read is no live run.
  const viz::Feed* feed = state.timeline.feed(run->id());
  const viz::LoadProgress loading =
      feed != nullptr && feed->progress ? feed->progress() : viz::LoadProgress{};
  const bool is_open = run->end() == nullptr && loading.rows_read >= loading.rows_total;
  const std::string label = is_open ? "LIVE" : "END";
  const ImVec2 at = ImGui::GetCursorScreenPos();
  FontScope font(Font::SemiBold, kSmallText - 1);
  if (ui::button((label + "###live").c_str(), "",
                 cursor.is_following() ? ui::Tone::Accent : ui::Tone::Neutral, {px(56), px(26)})) {
    state.commands.run("timeline.newest");
  }
  ui::tooltip(is_open ? "Go to the newest step and follow (End)" : "Go to the last step (End)");
  const std::string lag = lag_words(state, *run);
  if (!lag.empty()) {
    draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1.5f,
              {area.min.x + px(14), at.y + px(30)}, color(Token::Muted), lag.c_str());
  }
}

void ruler_labels(const Ruler& ruler, float top) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const int wanted = std::clamp(static_cast<int>((ruler.right - ruler.left) / px(180)), 2, 10);
  const std::vector<viz::Tick> ticks =
      ruler.axis == viz::TimeAxis::WallTime
          ? viz::duration_ticks(ruler.whole.minimum, ruler.whole.maximum, wanted)
          : viz::nice_ticks(ruler.whole.minimum, ruler.whole.maximum, wanted);
  for (const viz::Tick& tick : ticks) {
    const ImVec2 size = text_size(Font::Mono, kSmallText - 1, tick.label.c_str());
    const float x = std::clamp(ruler.pixel(tick.value) - size.x / 2, ruler.left, ruler.right - size.x);
    draw_text(list, Font::Mono, kSmallText - 1, {x, top}, color(Token::Muted), tick.label.c_str());
  }
}

// Loss of every run, last value and range per pixel column.
void loss_lines(const State& state, const Ruler& ruler, float top, float bottom) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto columns = static_cast<std::size_t>(std::max(16.f, (ruler.right - ruler.left) / 2));
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    const viz::Track* track = run->track("scalars");
    const viz::Series* loss = run->series("scalars", {"cross_entropy"});
    if (track == nullptr || loss == nullptr || track->size() == 0) continue;
    const viz::Series::View view = loss->query(0, track->size(), columns);
    double low = 1e300, high = -1e300;
    for (const viz::Bucket& bucket : view.buckets) {
      if (!bucket.has_value()) continue;
      low = std::min(low, bucket.last);
      high = std::max(high, bucket.last);
    }
    if (high < low) continue;
    if (high - low < 1e-9) high = low + 1;
    std::vector<ImVec2> points;
    for (std::size_t i = 0; i < view.buckets.size(); ++i) {
      if (!view.buckets[i].has_value()) continue;
      const double x = run->x_of_sample(*track, view.begins[i], ruler.axis);
      points.push_back({ruler.pixel(x), bottom - px(3) -
                                            static_cast<float>((view.buckets[i].last - low) / (high - low)) *
                                                (bottom - top - px(6))});
    }
    list->AddPolyline(points.data(), static_cast<int>(points.size()),
                      color(run_token(static_cast<int>(run->id()))), px(1.4f));
  }
}

// Events as ticks; neighbours nearer than three pixels are one mark whose tooltip counts them.
void event_marks(viz::Run& run, const Ruler& ruler, float top, float bottom) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 mouse = ImGui::GetMousePos();
  const std::vector<viz::Event>& events = run.events();
  std::size_t i = 0;
  while (i < events.size()) {
    const float x = ruler.pixel(run.x_of_step(events[i].step, ruler.axis));
    std::size_t last = i;
    bool has_command = events[i].kind == "command";
    while (last + 1 < events.size() &&
           ruler.pixel(run.x_of_step(events[last + 1].step, ruler.axis)) - x < px(kFold)) {
      ++last;
      has_command |= events[last].kind == "command";
    }
    const bool hovered = std::abs(mouse.x - x) < px(4) && mouse.y >= top && mouse.y <= bottom;
    list->AddRectFilled({std::floor(x), top}, {std::floor(x) + px(2), bottom},
                        color(has_command ? Token::Accent : Token::Faint, hovered ? 1.f : 0.9f));
    if (hovered && ImGui::IsWindowHovered()) {
      const std::string more = last > i ? fmt::format(" and {} more", last - i) : "";
      ImGui::SetTooltip("step %s: %s%s", viz::format_count(static_cast<std::int64_t>(events[i].step)).c_str(),
                        events[i].words.c_str(), more.c_str());
    }
    i = last + 1;
  }
}

void gap_marks(viz::Run& run, const Ruler& ruler, float top, float bottom) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (const viz::Gap& gap : run.gaps()) {
    const float left = ruler.pixel(run.x_of_step(gap.first_step, ruler.axis)),
                right = ruler.pixel(run.x_of_step(gap.last_step, ruler.axis));
    list->AddRectFilled({left, top}, {std::max(right, left + px(2)), bottom}, color(Token::Warn, 0.25f));
  }
}

void cursor_mark(State& state, viz::Run& run, const Ruler& ruler, float top, float bottom) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float x = std::floor(ruler.pixel(run.x_of_step(state.timeline.cursor().step(), ruler.axis))) + 0.5f;
  list->AddLine({x, top}, {x, bottom}, color(Token::Text), std::max(1.f, px(1.5f)));
  list->AddTriangleFilled({x - px(6), top - px(1)}, {x + px(6), top - px(1)}, {x, top + px(8)},
                          color(Token::Text));
}

// Click and drag seek; Shift and drag sets the loop; the wheel zooms the shared time axis around the pointer.
void interact(State& state, viz::Run& run, const Ruler& ruler, const Area& area) {
  ImGui::SetCursorScreenPos({ruler.left - px(8), area.min.y + px(4)});
  ImGui::InvisibleButton("minimap", {ruler.right - ruler.left + px(16), area.height() - px(8)});
  const double x = std::clamp(ruler.value(ImGui::GetMousePos().x), ruler.whole.minimum, ruler.whole.maximum);
  viz::Cursor& cursor = state.timeline.cursor();
  if (ImGui::IsItemActive() && ImGui::GetIO().KeyShift) {
    const double from = std::clamp(ruler.value(ImGui::GetIO().MouseClickedPos[0].x), ruler.whole.minimum,
                                   ruler.whole.maximum);
    const std::uint64_t a = run.step_at(std::min(from, x), ruler.axis),
                        b = run.step_at(std::max(from, x), ruler.axis);
    if (b > a) cursor.set_loop(viz::Cursor::Loop{a, b});
  } else if (ImGui::IsItemActive()) {
    cursor.seek(run.step_at(x, ruler.axis));
  }
  if (ImGui::IsItemHovered()) {
    if (const float wheel = ImGui::GetIO().MouseWheel; wheel != 0) {
      const viz::Range shown = state.timeline.visible();
      const double factor = std::pow(0.85, wheel);
      state.timeline.window().choose({x - (x - shown.minimum) * factor, x + (shown.maximum - x) * factor});
    }
  }
}

void minimap(State& state, viz::Run& run, const Area& area) {
  Ruler ruler;
  ruler.axis = state.timeline.window().axis();
  ruler.whole = whole_range(state, ruler.axis);
  ruler.left = area.min.x + px(kTransport) + px(16);
  ruler.right = area.max.x - px(24);
  const float top = area.min.y + px(26), lane_bottom = area.max.y - px(8);
  const float bottom = lane_bottom - px(area.height() / current_scale() > 100 ? 26 : 18);
  ImDrawList* list = ImGui::GetWindowDrawList();
  ruler_labels(ruler, area.min.y + px(6));
  list->AddRectFilled({ruler.left, top}, {ruler.right, bottom}, color(Token::Raised), px(2));
  interact(state, run, ruler, area);
  list->PushClipRect({ruler.left - px(8), area.min.y}, {ruler.right + px(8), area.max.y}, true);
  gap_marks(run, ruler, top, bottom);
  if (const auto& chosen = state.timeline.window().chosen()) {
    list->AddRect({std::max(ruler.pixel(chosen->minimum), ruler.left), top},
                  {std::min(ruler.pixel(chosen->maximum), ruler.right), bottom}, color(Token::Muted), px(2));
  }
  if (const auto& loop = state.timeline.cursor().loop()) {
    list->AddRectFilled({ruler.pixel(run.x_of_step(loop->first, ruler.axis)), top},
                        {ruler.pixel(run.x_of_step(loop->last, ruler.axis)), bottom},
                        color(Token::Accent, 0.18f));
  }
  loss_lines(state, ruler, top, bottom);
  event_marks(run, ruler, bottom + px(6), bottom + px(16));
  if (run.rows() > 0) cursor_mark(state, run, ruler, top - px(6), lane_bottom);
  list->PopClipRect();
}

}  // namespace

void draw_time_bar(State& state, const Area& area) {
  if (begin_region("time", area, Token::Panel, {0, 0})) {
    transport(state, area);
    viz::Run* run = state.run();
    const viz::Feed* feed = run != nullptr ? state.timeline.feed(run->id()) : nullptr;
    if (run != nullptr) minimap(state, *run, area);
    if (feed != nullptr && feed->progress && run->end() == nullptr) {
      const viz::LoadProgress progress = feed->progress();
      if (progress.rows_total > 0 && progress.rows_read < progress.rows_total) {
        ImGui::SetCursorScreenPos({area.min.x + px(kTransport) + px(16), area.max.y - px(24)});
        const std::string words = fmt::format(
            "reading {} of {} rows, {}", viz::format_count(static_cast<std::int64_t>(progress.rows_read)),
            viz::format_count(static_cast<std::int64_t>(progress.rows_total)),
            viz::format_bytes(static_cast<double>(progress.bytes_read)));
        const double share =
            static_cast<double>(progress.rows_read) / static_cast<double>(progress.rows_total);
        if (ui::progress("loading", share, words, static_cast<bool>(feed->cancel_loading)))
          feed->cancel_loading();
      }
    } else if (state.trainer && state.trainer->state == TrainerStatus::State::Preparing) {
      ImGui::SetCursorScreenPos({area.min.x + px(kTransport) + px(16), area.min.y + px(40)});
      ui::progress("preparing", state.trainer->progress_fraction, state.trainer->progress_text, false);
    } else if (state.trainer && state.trainer->state == TrainerStatus::State::Evaluating) {
      ImGui::SetCursorScreenPos({area.max.x - px(340), area.max.y - px(30)});
      if (ui::progress("evaluating", state.trainer->progress_fraction, state.trainer->progress_text, true))
        state.commands.run("train.cancel_evaluation");
    }
  }
  end_region();
}

}  // namespace sparsescope::frame
