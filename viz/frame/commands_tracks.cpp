// Commands of the time axis that belong to the tracks: what it counts, how it goes live, where it loops.
#include <fmt/format.h>

#include "viz/frame/bookmarks.h"
#include "viz/frame/command_builder.h"
#include "viz/frame/time_bar.h"
#include "viz/frame/time_choices.h"
#include "viz/model/time_twin.h"

namespace sparsescope::frame {
namespace {

std::string why_no_rows(State& state) {
  return state.run() != nullptr && state.run()->rows() > 0
             ? ""
             : "there is no run yet: train a preset or open a recording";
}

// Follows, and goes on showing the newest step in a range of the width that was chosen.
void follow_and_slide(State& state) {
  state.timeline.cursor().follow();
  viz::TimeWindow& window = state.timeline.window();
  const std::optional<viz::Range> chosen = window.chosen();
  if (!chosen) return;
  const viz::Run& run = *state.run();
  const double newest = run.x(run.rows() - 1, window.axis());
  state.time_bar.sliding = viz::Range{newest - chosen->width(), newest};
  window.choose(*state.time_bar.sliding);
}

enum class LoopPart { From, To };

// Without a loop the other end is that of the run.
void loop_at_cursor(State& state, LoopPart part) {
  viz::Cursor& cursor = state.timeline.cursor();
  const viz::Run& run = *state.run();
  viz::Cursor::Loop loop = cursor.loop().value_or(viz::Cursor::Loop{run.first_step(), run.newest_step()});
  (part == LoopPart::From ? loop.first : loop.last) = cursor.step();
  if (loop.first > loop.last) {
    part == LoopPart::From ? loop.last = run.newest_step() : loop.first = run.first_step();
  }
  cursor.set_loop(loop);
}

std::optional<viz::ChartChoice> chart_called(State& state, const std::string& words) {
  for (const viz::ChartChoice& choice : viz::chart_choices(*state.run())) {
    if (viz::words_of(choice) == words) return choice;
  }
  return std::nullopt;
}

void add_chart_commands(State& state) {
  viz::CommandArgument chart{viz::CommandArgument::Kind::Choice, "chart"};
  chart.choices = [&state] {
    std::vector<std::string> words;
    if (state.run() == nullptr) return words;
    for (const viz::ChartChoice& choice : viz::chart_choices(*state.run()))
      words.push_back(viz::words_of(choice));
    return words;
  };
  const Reason why_none = [&state]() -> std::string {
    if (const std::string reason = why_no_rows(state); !reason.empty()) return reason;
    return viz::chart_choices(*state.run()).empty() ? "this run records nothing that could be a chart" : "";
  };
  CommandBuilder table(state);
  table.in("Timeline")
      .ask(
          "timeline.chart", "Chart over the timeline, or no longer…", {}, std::move(chart),
          [&state](const std::string& words) {
            const std::optional<viz::ChartChoice> choice = chart_called(state, words);
            if (!choice) return;
            if (const std::string reason = toggle_chart(state, *state.run(), *choice); !reason.empty())
              state.notify(reason, ui::Tone::Neutral);
          },
          why_none)
      .add(
          "timeline.default_charts", "Chart loss and mean threshold over the timeline", {},
          [&state] { state.time_bar.charts.reset(); },
          [&state]() -> std::string {
            if (const std::string reason = why_no_rows(state); !reason.empty()) return reason;
            return state.time_bar.charts ? "" : "they are what is shown";
          });
}

void add_lane_commands(State& state) {
  CommandBuilder table(state);
  table.in("Timeline");
  for (std::size_t i = 0; i < viz::kLanes; ++i) {
    const auto lane = static_cast<viz::Lane>(i);
    std::set<viz::Lane>& hidden = state.time_bar.hidden_lanes;
    table.add(
        lane_command(lane), fmt::format("Show or hide the lane of {}", viz::lane_name(lane)), {},
        [&hidden, lane] {
          if (hidden.erase(lane) == 0) hidden.insert(lane);
        },
        [&state] { return why_no_rows(state); }, [&hidden, lane] { return !hidden.contains(lane); });
  }
}

}  // namespace

std::string lane_command(viz::Lane lane) { return std::string("timeline.lane.") + viz::lane_name(lane); }

void add_track_commands(State& state) {
  const auto needs_run = [&state] { return why_no_rows(state); };
  const auto add = [&](const char* id, const char* words, const char* key, std::function<void()> run,
                       std::function<bool()> is_on = {}) {
    viz::UiCommand command{id, words, "Timeline", {}, std::move(run), needs_run, std::move(is_on)};
    if (*key != '\0') command.keys.push_back(viz::chord_from_text(key));
    state.commands.add(std::move(command));
  };
  const auto add_axis = [&](const char* id, const char* words, viz::TimeAxis axis) {
    viz::TimeWindow& window = state.timeline.window();
    add(
        id, words, "", [&window, axis] { window.set_axis(axis); },
        [&window, axis] { return window.axis() == axis; });
  };
  add_axis("timeline.by_step", "Time axis in steps", viz::TimeAxis::Step);
  add_axis("timeline.by_tokens", "Time axis in tokens", viz::TimeAxis::Tokens);
  add_axis("timeline.by_wall_time", "Time axis in wall time", viz::TimeAxis::WallTime);
  add_axis("timeline.by_relative_step", "Time axis in steps since the run's first",
           viz::TimeAxis::RelativeStep);
  add("timeline.live_keep_zoom", "Follow the newest step, keep my zoom", "",
      [&state] { state.timeline.cursor().follow(); });
  add("timeline.live_newest", "Follow the newest step, and keep it in view", "Shift+End",
      [&state] { follow_and_slide(state); });
  add("timeline.loop_from_here", "Loop from the cursor on", "I",
      [&state] { loop_at_cursor(state, LoopPart::From); });
  add("timeline.loop_to_here", "Loop up to the cursor", "O",
      [&state] { loop_at_cursor(state, LoopPart::To); });
  add("timeline.copy", "Copy bookmarks, notes and events as a table", "", [&state] {
    const viz::Run& run = *state.run();
    ImGui::SetClipboardText(
        viz::text_of(viz::twin_of_time(state.timeline, run, annotations_of(state, run))).c_str());
  });
  viz::UiCommand tracks{"timeline.tracks",
                        "Show or hide the tracks over the minimap",
                        "Timeline",
                        {viz::chord_from_text("Shift+T")},
                        [&state] {
                          TimeBar::Tracks& shown = state.time_bar.tracks;
                          shown = shown == TimeBar::Tracks::Shown ? TimeBar::Tracks::Hidden
                                                                  : TimeBar::Tracks::Shown;
                        },
                        {},
                        [&state] { return state.time_bar.tracks == TimeBar::Tracks::Shown; }};
  state.commands.add(std::move(tracks));
  add_chart_commands(state);
  add_lane_commands(state);
}

}  // namespace sparsescope::frame
