// Commands of time: the cursor, the replay, the part of the axis that views show.
#include <fmt/format.h>

#include <algorithm>

#include "viz/frame/command_builder.h"
#include "viz/model/format.h"
#include "viz/views/density_view.h"

namespace sparsescope::frame {
namespace {

void zoom_time(State& state, double factor) {
  viz::TimeWindow& window = state.timeline.window();
  const viz::Range shown = state.timeline.visible();
  viz::Run* run = state.run();
  if (run == nullptr) return;
  const double at =
      std::clamp(run->x_of_step(state.timeline.cursor().step(), window.axis()), shown.minimum, shown.maximum);
  window.choose({at - (at - shown.minimum) * factor, at + (shown.maximum - at) * factor});
}

void pan_time(State& state, double share) {
  const viz::Range shown = state.timeline.visible();
  const double move = share * shown.width();
  state.timeline.window().choose({shown.minimum + move, shown.maximum + move});
}

// Follows, and moves a chosen range that has not the newest step in it so that it ends there.
void follow_newest(State& state) {
  state.timeline.cursor().follow();
  viz::TimeWindow& window = state.timeline.window();
  const viz::Run& run = *state.run();
  const std::optional<viz::Range> chosen = window.chosen();
  if (!chosen || run.rows() == 0) return;
  const double newest = run.x(run.rows() - 1, window.axis());
  if (newest < chosen->minimum || newest > chosen->maximum) window.choose({newest - chosen->width(), newest});
}

void toggle_loop(State& state) {
  viz::Cursor& cursor = state.timeline.cursor();
  if (cursor.loop()) return cursor.set_loop({});
  const viz::Range shown = state.timeline.visible();
  const viz::TimeAxis axis = state.timeline.window().axis();
  cursor.set_loop(viz::Cursor::Loop{state.run()->step_at(shown.minimum, axis),
                                    state.run()->step_at(shown.maximum, axis)});
}

viz::CommandArgument step_of_run(State& state) {
  viz::CommandArgument step{viz::CommandArgument::Kind::WholeNumber, "step"};
  step.range = [&state] {
    const viz::Run* run = state.run();
    if (run == nullptr) return viz::Range{0, 0};
    return viz::Range{static_cast<double>(run->first_step()), static_cast<double>(run->newest_step())};
  };
  return step;
}

viz::DensitySettings density_settings(const State& state) {
  viz::DensitySettings settings;
  for (const State::Slot& slot : state.slots) {
    if (slot.view->id() == "density") viz::take(slot.view->settings(), settings);
  }
  return settings;
}

// From one layer's crossing to the next in time, round the end; a locked layer's only.
void go_to_crossing(State& state) {
  const viz::DensitySettings settings = density_settings(state);
  const std::vector<viz::LayerCrossing> crossings = viz::density_crossings(*state.run(), settings);
  const viz::LayerCrossing* next =
      viz::next_crossing(crossings, state.timeline.cursor().step(), state.selection.locked.layer);
  const viz::CrossingWords words = viz::density_crossing_words(settings);
  if (next == nullptr)
    return state.notify(state.selection.locked.layer
                            ? fmt::format("{} never above {} in the locked layer {}", words.what, words.level,
                                          *state.selection.locked.layer)
                            : viz::crossings_in_words(words, crossings),
                        ui::Tone::Neutral);
  state.timeline.cursor().seek(next->step);
  state.notify(viz::crossing_in_words(words, *next), ui::Tone::Neutral);
}

void add_moves(State& state, CommandBuilder& table) {
  const Reason needs_run = [&state] { return why_no_run(state); };
  const auto move = [&state](std::int64_t rows) {
    return [&state, rows] {
      if (viz::Run* run = state.run()) state.timeline.cursor().move(*run, rows);
    };
  };
  table.add_held("timeline.back", "Back", {"Left"}, move(-5), needs_run)
      .add_held("timeline.forward", "Forward", {"Right"}, move(5), needs_run)
      .add_held("timeline.back_fast", "Back, fast", {"Shift+Left"}, move(-50), needs_run)
      .add_held("timeline.forward_fast", "Forward, fast", {"Shift+Right"}, move(50), needs_run)
      .add_held("timeline.back_one", "Back one step", {"Ctrl+Left"}, move(-1), needs_run)
      .add_held("timeline.forward_one", "Forward one step", {"Ctrl+Right"}, move(1), needs_run)
      .add(
          "timeline.first", "First step", {"Home"},
          [&state] { state.timeline.cursor().seek(state.run()->first_step()); }, needs_run)
      .add(
          "timeline.newest", "Newest step, and follow", {"End"}, [&state] { follow_newest(state); },
          needs_run)
      .add(
          "timeline.next_crossing", "Go to where a layer first passes the level", {"X"},
          [&state] { go_to_crossing(state); },
          [&state]() -> std::string {
            if (std::string reason = why_no_run(state); !reason.empty()) return reason;
            return state.run()->track("density") != nullptr ? "" : "this run records no density";
          })
      .ask(
          "timeline.go_to", "Go to step…", {"Ctrl+G"}, step_of_run(state),
          [&state](const std::string& value) {
            state.timeline.cursor().seek(static_cast<std::uint64_t>(*viz::number_from_text(value)));
          },
          needs_run);
}

void add_replay(State& state, CommandBuilder& table) {
  const Reason needs_run = [&state] { return why_no_run(state); };
  viz::Cursor& cursor = state.timeline.cursor();
  table
      .add(
          "timeline.play", "Play or hold the replay", {"Space"}, [&cursor] { cursor.toggle_play(); },
          needs_run, [&cursor] { return cursor.is_playing(); })
      .add(
          "timeline.follow", "Follow the newest step, or hold", {"Ctrl+Space", "Ctrl+L"},
          [&cursor] { cursor.is_following() ? cursor.hold() : cursor.follow(); }, needs_run,
          [&cursor] { return cursor.is_following(); })
      .add(
          "timeline.slower", "Slower replay", {"Shift+,"}, [&cursor] { cursor.slower(); }, needs_run)
      .add(
          "timeline.faster", "Faster replay", {"Shift+."}, [&cursor] { cursor.faster(); }, needs_run)
      .add(
          "timeline.loop", "Loop the visible range, or stop looping", {"L"}, [&state] { toggle_loop(state); },
          needs_run, [&cursor] { return cursor.loop().has_value(); });
  for (double speed = viz::kSlowestSpeed; speed <= viz::kFastestSpeed; speed *= 2) {
    const bool is_slow = speed < 1;
    table.add(
        speed_command(speed),
        is_slow ? fmt::format("Replay at ×1/{:g}", 1 / speed) : fmt::format("Replay at ×{:g}", speed), {},
        [&cursor, speed] { cursor.set_speed(speed); }, needs_run,
        [&cursor, speed] { return cursor.speed() == speed; });
  }
}

void add_axis(State& state, CommandBuilder& table) {
  const Reason needs_run = [&state] { return why_no_run(state); };
  table
      .add_held(
          "timeline.pan_back", "Pan the time axis back", {"A"}, [&state] { pan_time(state, -0.1); },
          needs_run)
      .add_held(
          "timeline.pan_forward", "Pan the time axis forward", {"D"}, [&state] { pan_time(state, 0.1); },
          needs_run)
      .add_held(
          "timeline.zoom_in", "Zoom the time axis in", {"W"}, [&state] { zoom_time(state, 0.8); }, needs_run)
      .add_held(
          "timeline.zoom_out", "Zoom the time axis out", {"S"}, [&state] { zoom_time(state, 1.25); },
          needs_run)
      .add(
          "timeline.fit", "Fit the time axis to the run", {"F"}, [&state] { state.timeline.window().fit(); },
          needs_run)
      .add(
          "timeline.zoom_selection", "Zoom the time axis to the brushed span", {"Z"},
          [&state] { state.timeline.window().choose(*state.selection.brush); },
          [&state]() -> std::string {
            if (const std::string reason = why_no_run(state); !reason.empty()) return reason;
            return state.selection.brush ? "" : "no span is brushed: drag over a plot first";
          });
}

}  // namespace

std::string speed_command(double speed) {
  return speed < 1 ? fmt::format("timeline.speed.1_{:g}", 1 / speed)
                   : fmt::format("timeline.speed.{:g}", speed);
}

void add_time_commands(State& state) {
  CommandBuilder table(state);
  table.in("Timeline");
  add_replay(state, table);
  add_moves(state, table);
  add_axis(state, table);
}

}  // namespace sparsescope::frame
