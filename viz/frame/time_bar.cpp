// The bar at the bottom of the window: transport, tracks, minimap, and progress of what is being read. The
// tracks and the minimap are in files of their own.
#include "viz/frame/time_bar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "viz/frame/bookmarks.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr float kLowWindow = 700;       // below this height the views get the room
constexpr float kCollapsedHeight = 92;  // transport, buttons, minimap
constexpr float kMostShare = 0.2f;      // of the window's height; rows beyond it are left out
constexpr float kChosenShare = 0.4f;    // where a person has chosen the charts
constexpr float kAroundTracks = kHeaderHeight + 8 + kMinimapHeight + 8;

void command_icon(State& state, const char* id, const char* glyph, ui::Tone tone = ui::Tone::Neutral) {
  const viz::UiCommand* command = state.commands.find(id);
  const std::string reason = state.commands.why_disabled(id);
  const std::string key = command->keys.empty() ? "" : " (" + viz::text_from_chord(command->keys[0]) + ")";
  ImGui::BeginDisabled(!reason.empty());
  if (ui::icon_button(id, glyph, (command->words + key).c_str(), tone)) state.commands.run(id);
  ImGui::EndDisabled();
}

// How far the screen trails the run: the cursor's distance, or what is still waiting to be drawn.
std::string lag_words(State& state, const viz::Run& run) {
  const viz::Cursor& cursor = state.timeline.cursor();
  if (!cursor.is_following()) {
    return fmt::format("{} steps back", viz::format_count(static_cast<std::int64_t>(
                                            run.newest_step() - std::min(run.newest_step(), cursor.step()))));
  }
  const std::size_t pending = state.timeline.pending();
  return pending > 0 ? fmt::format("{} frames behind", pending) : "";
}

void speed_button(State& state) {
  const viz::Cursor& cursor = state.timeline.cursor();
  const std::string speed =
      cursor.speed() >= 1 ? fmt::format("×{:g}", cursor.speed()) : fmt::format("×1/{:g}", 1 / cursor.speed());
  FontScope font(Font::Mono, kSmallText);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2{px(6), px(3)});
  if (ImGui::Button((speed + "###speed").c_str(), {px(44), px(26)})) ImGui::OpenPopup("speeds");
  ImGui::PopStyleVar();
  ui::tooltip("Replay speed, times recorded time");
  if (!ImGui::BeginPopup("speeds")) return;
  for (double choice = viz::kSlowestSpeed; choice <= viz::kFastestSpeed; choice *= 2) {
    const std::string label = choice >= 1 ? fmt::format("×{:g}", choice) : fmt::format("×1/{:g}", 1 / choice);
    if (ImGui::MenuItem(label.c_str(), nullptr, choice == cursor.speed()))
      state.commands.run(speed_command(choice));
  }
  ImGui::EndPopup();
}

// Going live keeps the zoom or shows the newest: who has chosen a range is asked which.
void live_button(State& state, const viz::Run& run) {
  const bool grows = may_grow(state, run);
  const viz::Cursor& cursor = state.timeline.cursor();
  const std::optional<viz::Range> chosen = state.timeline.window().chosen();
  const bool asks = chosen && chosen != state.time_bar.frozen && chosen != state.time_bar.sliding;
  {
    FontScope font(Font::SemiBold, kSmallText - 1);
    const std::string label = std::string(grows ? "LIVE" : "END") + "###live";
    if (ui::button(label.c_str(), "", cursor.is_following() ? ui::Tone::Accent : ui::Tone::Neutral,
                   {px(56), px(26)})) {
      if (asks && !cursor.is_following()) {
        ImGui::OpenPopup("go live");
      } else {
        state.commands.run("timeline.newest");
      }
    }
  }
  ui::tooltip(grows ? "Go to the newest step and follow (End)" : "Go to the last step (End)");
  if (!ImGui::BeginPopup("go live")) return;
  if (ImGui::MenuItem("Keep my zoom")) state.commands.run("timeline.live_keep_zoom");
  if (ImGui::MenuItem("Show the newest")) state.commands.run("timeline.live_newest");
  ImGui::EndPopup();
}

constexpr std::array kAxisNames = {"Steps", "Tokens", "Wall time", "Relative steps"};
constexpr std::array kAxisCommands = {"timeline.by_step", "timeline.by_tokens", "timeline.by_wall_time",
                                      "timeline.by_relative_step"};

void axis_button(State& state) {
  const auto now = static_cast<std::size_t>(state.timeline.window().axis());
  FontScope font(Font::Regular, kSmallText);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2{px(8), px(3)});
  if (ImGui::Button((std::string(kAxisNames[now]) + "###axis").c_str(), {px(104), px(26)}))
    ImGui::OpenPopup("axes");
  ImGui::PopStyleVar();
  ui::tooltip("What the time axis counts");
  if (!ImGui::BeginPopup("axes")) return;
  for (std::size_t i = 0; i < kAxisNames.size(); ++i) {
    if (ImGui::MenuItem(kAxisNames[i], nullptr, i == now)) state.commands.run(kAxisCommands[i]);
  }
  ImGui::EndPopup();
}

// Choices of one channel stand together; what is shown has a mark.
void chart_menu(State& state, const viz::Run& run) {
  const std::vector<viz::ChartChoice> shown = charts_shown(state, run);
  const bool is_full = shown.size() >= kMostCharts;
  std::string channel;
  bool is_open = false;
  for (const viz::ChartChoice& choice : viz::chart_choices(run)) {
    if (choice.channel != channel) {
      if (is_open) ImGui::EndMenu();
      channel = choice.channel;
      is_open = ImGui::BeginMenu(channel.c_str());
    }
    if (!is_open) continue;
    const bool is_on = std::find(shown.begin(), shown.end(), choice) != shown.end();
    const std::string words = viz::words_of(choice);
    if (ImGui::MenuItem(words.c_str(), nullptr, is_on, is_on || !is_full))
      state.commands.run("timeline.chart", words);
  }
  if (is_open) ImGui::EndMenu();
  ImGui::Separator();
  const auto command = [&](const std::string& id, const std::string& words, bool is_on) {
    const bool possible = state.commands.why_disabled(id).empty();
    if (ImGui::MenuItem(words.c_str(), nullptr, is_on, possible)) state.commands.run(id);
  };
  command("timeline.default_charts", "Loss and mean threshold", false);
  if (is_full) ui::muted(fmt::format("At most {} charts", kMostCharts).c_str());
  ImGui::Separator();
  for (std::size_t i = 0; i < viz::kLanes; ++i) {
    const auto lane = static_cast<viz::Lane>(i);
    command(lane_command(lane), fmt::format("Lane of {}", viz::lane_name(lane)),
            !state.time_bar.hidden_lanes.contains(lane));
  }
  const TrackRows rows = rows_that_fit(state, run, ImGui::GetIO().DisplaySize);
  if (!rows.left_out.empty())
    ui::muted(fmt::format("No room in this window for {}", fmt::join(rows.left_out, ", ")).c_str());
}

void buttons(State& state, const viz::Run& run, const Area& area, float top) {
  ImGui::SetCursorScreenPos({area.min.x + px(10), top});
  axis_button(state);
  ImGui::SameLine(0, px(4));
  const bool shown = state.time_bar.tracks == TimeBar::Tracks::Shown;
  command_icon(state, "timeline.tracks", icon::kChart, shown ? ui::Tone::Accent : ui::Tone::Neutral);
  ImGui::SameLine(0, px(4));
  ImGui::BeginDisabled(!shown);
  if (ui::icon_button("charts", icon::kTune, "Choose charts and lanes over the timeline"))
    ImGui::OpenPopup("charts");
  ImGui::EndDisabled();
  if (ImGui::BeginPopup("charts")) {
    chart_menu(state, run);
    ImGui::EndPopup();
  }
  ImGui::SameLine(0, px(4));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const viz::Annotations* annotations = annotations_of(state, run);
  const bool has_some =
      annotations != nullptr && (!annotations->bookmarks().empty() || !annotations->notes().empty());
  command_icon(state, "annotation.list", icon::kFlag, has_some ? ui::Tone::Accent : ui::Tone::Neutral);
  draw_annotation_list(state, {at.x, at.y - px(4)});
}

void progress_of_reading(State& state, const Area& area) {
  const viz::Run* run = state.run();
  const viz::Feed* feed = run != nullptr ? state.timeline.feed(run->id()) : nullptr;
  const float left = area.min.x + px(kTransportWidth) + px(16);
  if (feed != nullptr && feed->progress && run->end() == nullptr) {
    const viz::LoadProgress progress = feed->progress();
    if (progress.rows_total == 0 || progress.rows_read >= progress.rows_total) return;
    ImGui::SetCursorScreenPos({left, area.min.y + px(24)});
    const std::string words = fmt::format("reading {} of {} rows, {}",
                                          viz::format_count(static_cast<std::int64_t>(progress.rows_read)),
                                          viz::format_count(static_cast<std::int64_t>(progress.rows_total)),
                                          viz::format_bytes(static_cast<double>(progress.bytes_read)));
    const double share = static_cast<double>(progress.rows_read) / static_cast<double>(progress.rows_total);
    if (ui::progress("loading", share, words, static_cast<bool>(feed->cancel_loading)))
      state.commands.run("run.cancel_loading");
  } else if (state.trainer && state.trainer->state == TrainerStatus::State::Preparing) {
    ImGui::SetCursorScreenPos({left, area.min.y + px(24)});
    ui::progress("preparing", state.trainer->progress_fraction, state.trainer->progress_text, false);
  } else if (state.trainer && state.trainer->state == TrainerStatus::State::Evaluating) {
    ImGui::SetCursorScreenPos({area.max.x - px(340), area.max.y - px(30)});
    if (ui::progress("evaluating", state.trainer->progress_fraction, state.trainer->progress_text, true))
      state.commands.run("train.cancel_evaluation");
  }
}

bool shows_tracks(const State& state, const ImVec2& window) {
  return state.time_bar.tracks == TimeBar::Tracks::Shown && window.y / current_scale() >= kLowWindow;
}

}  // namespace

bool may_grow(const State& state, const viz::Run& run) {
  const viz::Feed* feed = state.timeline.feed(run.id());
  const viz::LoadProgress loading =
      feed != nullptr && feed->progress ? feed->progress() : viz::LoadProgress{};
  return run.end() == nullptr && loading.rows_read >= loading.rows_total;
}

bool shows_lane(const State& state, const viz::Run& run, viz::Lane lane) {
  const auto lanes = state.time_bar.lanes.find(run.id());
  return lanes != state.time_bar.lanes.end() && !lanes->second.of(lane).empty() &&
         !state.time_bar.hidden_lanes.contains(lane);
}

std::vector<viz::ChartChoice> charts_shown(const State& state, const viz::Run& run) {
  return state.time_bar.charts ? *state.time_bar.charts : viz::default_charts(run);
}

float TrackRows::height() const {
  return kChartHeight * static_cast<float>(charts.size()) + kLaneHeight * static_cast<float>(lanes.size());
}

TrackRows rows_that_fit(const State& state, const viz::Run& run, const ImVec2& window) {
  const float share = state.time_bar.charts ? kChosenShare : kMostShare;
  const float room = window.y / current_scale() * share - kAroundTracks;
  TrackRows rows;
  for (const viz::ChartChoice& choice : charts_shown(state, run)) {
    if (rows.height() + kChartHeight <= room) {
      rows.charts.push_back(choice);
    } else {
      rows.left_out.push_back(viz::words_of(choice));
    }
  }
  for (std::size_t i = 0; i < viz::kLanes; ++i) {
    const auto lane = static_cast<viz::Lane>(i);
    if (!shows_lane(state, run, lane)) continue;
    if (rows.height() + kLaneHeight <= room) {
      rows.lanes.push_back(lane);
    } else {
      rows.left_out.emplace_back(viz::lane_name(lane));
    }
  }
  return rows;
}

float time_bar_height(State& state, const ImVec2& window) {
  const viz::Run* run = state.run();
  if (run == nullptr || !shows_tracks(state, window)) return px(kCollapsedHeight);
  return px(kAroundTracks + rows_that_fit(state, *run, window).height());
}

void keep_time_window(State& state) {
  TimeBar& bar = state.time_bar;
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) bar.lanes[run->id()].update(*run);
  const viz::Run* run = state.run();
  if (run == nullptr || run->rows() == 0) return;
  viz::TimeWindow& window = state.timeline.window();
  const bool is_following = state.timeline.cursor().is_following();
  const viz::TimeAxis axis = window.axis();
  const bool has_fixed_end = run->planned_steps() > 0 && axis != viz::TimeAxis::WallTime &&
                             (axis != viz::TimeAxis::Tokens || run->tokens_per_step() > 0);
  if (bar.was_following && !is_following && !window.chosen() && may_grow(state, *run) && !has_fixed_end) {
    window.choose(state.timeline.visible());
    bar.frozen = window.chosen();
  } else if (!bar.was_following && is_following && bar.frozen) {
    // Going to the newest may have moved it; its width says whether a person did.
    const std::optional<viz::Range> chosen = window.chosen();
    if (chosen && std::abs(chosen->width() - bar.frozen->width()) <= 1e-9 * bar.frozen->width()) window.fit();
    bar.frozen.reset();
  }
  bar.was_following = is_following;
  if (bar.sliding && (!is_following || window.chosen() != bar.sliding)) bar.sliding.reset();
  if (bar.sliding) {
    const double newest = run->x(run->rows() - 1, axis);
    bar.sliding = viz::Range{newest - bar.sliding->width(), newest};
    window.choose(*bar.sliding);
  }
}

void draw_transport(State& state, const Area& area) {
  viz::Cursor& cursor = state.timeline.cursor();
  const viz::Run* run = state.run();
  ImGui::SetCursorScreenPos({area.min.x + px(10), area.min.y + px(8)});
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
  speed_button(state);
  if (run == nullptr) return;
  ImGui::SameLine(0, px(6));
  live_button(state, *run);
  const std::string lag = lag_words(state, *run);
  if (!lag.empty()) {
    const ImVec2 size = text_size(Font::Regular, kSmallText - 1.5f, lag.c_str());
    draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1.5f,
              {area.min.x + px(kTransportWidth) - size.x, area.min.y + px(35)}, color(Token::Muted),
              lag.c_str());
  }
}

void draw_time_bar(State& state, const Area& area) {
  if (begin_region("time", area, Token::Panel, {0, 0})) {
    draw_transport(state, area);
    viz::Run* run = state.run();
    if (run != nullptr) {
      const float minimap_top = area.max.y - px(kMinimapHeight + 8);
      buttons(state, *run, area, minimap_top + px(2));
      const float left = area.min.x + px(kTransportWidth) + px(16), right = area.max.x - px(24);
      const Area minimap{{left, minimap_top}, {right, area.max.y - px(8)}};
      const bool has_tracks = shows_tracks(state, ImGui::GetIO().DisplaySize);
      const Ruler ruler = has_tracks ? ruler_of_tracks(state, minimap) : ruler_of_minimap(state, minimap);
      if (has_tracks) draw_tracks(state, *run, {{left, area.min.y}, {right, minimap_top - px(8)}});
      draw_minimap(state, *run, minimap, has_tracks ? Heading::None : Heading::Own);
      const float x = ruler.pixel(run->x_of_step(state.book.note_step, ruler.axis));
      draw_note_field(state, {std::clamp(x, left, right), area.min.y - px(6)});
      let_go(state);
    }
    progress_of_reading(state, area);
  }
  end_region();
}

}  // namespace sparsescope::frame
