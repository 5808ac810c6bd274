// The command table of the window: everything a person can do, with its key, and why it may not be done now.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"
#include "imgui.h"
#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

using Reason = std::function<std::string()>;

class Table {
 public:
  explicit Table(State& state) : state_(state) {}
  Table& in(const char* category) {
    category_ = category;
    return *this;
  }
  // Its keys repeat while they are held.
  Table& add_held(const char* id, const char* words, std::vector<const char*> keys, std::function<void()> run,
                  Reason why_disabled) {
    repeat_ = viz::KeyRepeat::WhileHeld;
    add(id, words, std::move(keys), std::move(run), std::move(why_disabled));
    repeat_ = viz::KeyRepeat::Once;
    return *this;
  }
  Table& add(const char* id, const char* words, std::vector<const char*> keys, std::function<void()> run,
             Reason why_disabled = {}, std::function<bool()> is_on = {}) {
    viz::UiCommand command{
        id, words, category_, {}, std::move(run), std::move(why_disabled), std::move(is_on)};
    command.repeat = repeat_;
    for (const char* key : keys) command.keys.push_back(viz::chord_from_text(key));
    state_.commands.add(std::move(command));
    return *this;
  }

 private:
  State& state_;
  std::string category_;
  viz::KeyRepeat repeat_ = viz::KeyRepeat::Once;
};

std::string why_no_run(State& state) {
  return state.run() != nullptr && state.run()->rows() > 0
             ? ""
             : "there is no run yet: train a preset or open a recording";
}
std::string why_no_trainer(State& state) {
  if (!state.trainer) return "no training run in this window";
  if (state.trainer->is_over()) return "the run is over";
  return "";
}

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

void move_layer(State& state, int by) {
  viz::Run* run = state.run();
  const trace::Schema* schema = run != nullptr ? run->schema() : nullptr;
  const trace::Channel* channel = schema != nullptr ? schema->find("threshold") : nullptr;
  const trace::Axis* axis = channel != nullptr ? channel->axis("layer") : nullptr;
  if (axis == nullptr || axis->size == 0) return;
  std::optional<std::int64_t>& layer = state.selection.locked.layer;
  layer = std::clamp<std::int64_t>(layer ? *layer + by : (by > 0 ? 0 : axis->size - 1), 0, axis->size - 1);
}

std::string why_no_layers(State& state) {
  viz::Run* run = state.run();
  const trace::Schema* schema = run != nullptr ? run->schema() : nullptr;
  return schema != nullptr && schema->find("threshold") != nullptr ? "" : "this run records no layers";
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

void set_scale(State& state, float scale) {
  state.appearance.scale = std::clamp(scale, 0.5f, 3.f);
  state.appearance_changed = true;
}

void training_commands(State& state, Table& table) {
  const Reason running = [&state] { return why_no_trainer(state); };
  for (const PresetCard& preset : state.presets) {
    table.in("Training")
        .add(("train.preset." + preset.name).c_str(), ("Train the preset " + preset.name).c_str(), {},
             [&state, name = preset.name] { start_preset(state, name); },
             [&state] { return state.host.why_no_training(); });
  }
  table.in("Training")
      .add(
          "train.toggle", "Start or pause training", {"T"},
          [&state] {
            if (!state.trainer || state.trainer->is_over())
              return start_preset(state, preset_to_start(state));
            if (state.trainer->state == TrainerStatus::State::Paused) return post(state, trace::Resume{});
            post(state, trace::Pause{});
          },
          [&state]() -> std::string {
            if (state.trainer && !state.trainer->is_over()) return "";
            if (const std::string reason = state.host.why_no_training(); !reason.empty()) return reason;
            return state.presets.empty() ? "no preset is installed" : "";
          })
      .add(
          "train.step", "Train one step, then pause", {"Ctrl+T"},
          [&state] { post(state, trace::StepOnce{}); }, running)
      .add(
          "train.pause_at", "Pause at a step…", {},
          [&state] {
            state.open_dialog(Dialog::PauseAt, state.trainer && state.trainer->pause_at > 0
                                                   ? std::to_string(state.trainer->pause_at)
                                                   : "");
          },
          running)
      .add(
          "train.evaluate", "Evaluate now", {"E"}, [&state] { post(state, trace::EvaluateNow{}); }, running)
      .add(
          "train.evaluate_long", "Evaluate now, with the longest contexts", {"Shift+E"},
          [&state] {
            post(state, trace::EvaluateNow{{1, 4, 16}});
          },
          running)
      .add(
          "train.record_edges", "Record the routing edges now", {"R"},
          [&state] { post(state, trace::RecordEdges{}); }, running)
      .add(
          "train.cancel_evaluation", "Cancel the evaluation", {},
          [&state] { post(state, trace::CancelEvaluation{}); },
          [&state]() -> std::string {
            if (const std::string reason = why_no_trainer(state); !reason.empty()) return reason;
            return state.trainer->state == TrainerStatus::State::Evaluating ? ""
                                                                            : "nothing is being evaluated";
          })
      .add(
          "train.checkpoint", "Write a checkpoint", {"Ctrl+Shift+S"},
          [&state] { post(state, trace::SaveCheckpoint{}); }, running)
      .add(
          "train.stop", "Stop training and close the recording", {"Ctrl+Shift+T"},
          [&state] { post(state, trace::Stop{}); }, running);
}

void time_commands(State& state, Table& table) {
  const Reason needs_run = [&state] { return why_no_run(state); };
  viz::Timeline& timeline = state.timeline;
  const auto move = [&state](std::int64_t rows) {
    return [&state, rows] {
      if (viz::Run* run = state.run()) state.timeline.cursor().move(*run, rows);
    };
  };
  table.in("Timeline")
      .add(
          "timeline.play", "Play or hold the replay", {"Space"},
          [&timeline] { timeline.cursor().toggle_play(); }, needs_run,
          [&timeline] { return timeline.cursor().is_playing(); })
      .add(
          "timeline.follow", "Follow the newest step, or hold", {"Ctrl+Space", "Ctrl+L"},
          [&timeline] {
            timeline.cursor().is_following() ? timeline.cursor().hold() : timeline.cursor().follow();
          },
          needs_run, [&timeline] { return timeline.cursor().is_following(); })
      .add_held("timeline.back", "Back", {"Left"}, move(-5), needs_run)
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
          "timeline.go_to", "Go to step…", {"Ctrl+G"}, [&state] { state.open_dialog(Dialog::GoToStep); },
          needs_run)
      .add(
          "timeline.slower", "Slower replay", {"Shift+,"}, [&timeline] { timeline.cursor().slower(); },
          needs_run)
      .add(
          "timeline.faster", "Faster replay", {"Shift+."}, [&timeline] { timeline.cursor().faster(); },
          needs_run)
      .add(
          "timeline.loop", "Loop the visible range, or stop looping", {"L"},
          [&state] {
            viz::Cursor& cursor = state.timeline.cursor();
            if (cursor.loop()) return cursor.set_loop({});
            const viz::Range shown = state.timeline.visible();
            const viz::TimeAxis axis = state.timeline.window().axis();
            cursor.set_loop(viz::Cursor::Loop{state.run()->step_at(shown.minimum, axis),
                                              state.run()->step_at(shown.maximum, axis)});
          },
          needs_run, [&timeline] { return timeline.cursor().loop().has_value(); })
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
          "timeline.fit", "Fit the time axis to the run", {"F"}, [&timeline] { timeline.window().fit(); },
          needs_run);
  table.in("Selection")
      .add(
          "selection.previous_layer", "Previous layer", {"["}, [&state] { move_layer(state, -1); },
          [&state] { return why_no_layers(state); })
      .add(
          "selection.next_layer", "Next layer", {"]"}, [&state] { move_layer(state, 1); },
          [&state] { return why_no_layers(state); })
      .add("selection.release", "Release the selection, then leave", {"Escape"}, [&state] {
        if (state.show_cheat_sheet || state.show_palette) {
          state.show_cheat_sheet = state.show_palette = false;
        } else if (state.show_start_page) {
          state.show_start_page = false;
        } else {
          state.selection.release();
        }
      });
}

void window_commands(State& state, Table& table) {
  table.in("File")
      .add("file.open", "Open a recording…", {"Ctrl+O"},
           [&state] { state.open_dialog(Dialog::Open, state.host.recordings_folder() + "/"); })
      .add(
          "file.demo", "Open the demo recording", {},
          [&state] { open_file(state, state.host.demo_recording()); },
          [&state]() -> std::string {
            return state.host.demo_recording().empty() ? "no demo recording is installed beside the program"
                                                       : "";
          })
      .add(
          "file.start_page", "Start page: train a preset, open a recording", {"Ctrl+N"},
          [&state] {
            state.start_problem.clear();
            state.recent = state.host.recent_files();
            state.show_start_page = !state.show_start_page;
          },
          [&state]() -> std::string {
            return state.timeline.runs().empty() ? "the start page is what is shown" : "";
          },
          [&state] { return state.show_start_page; })
      .add("app.quit", "Quit", {"Ctrl+Q"}, [&state] {
        if (state.trainer && !state.trainer->is_over()) return state.open_dialog(Dialog::Quit);
        state.host.quit(Leave::StopAndSave);
      });
  table.in("Window")
      .add("window.theme", "Next theme: dark, light, projector, high contrast", {"Ctrl+Shift+L"},
           [&state] {
             state.appearance.theme =
                 static_cast<Theme>((static_cast<int>(state.appearance.theme) + 1) % kThemeCount);
             state.appearance_changed = true;
           })
      .add("window.larger", "Larger interface", {"Ctrl+="},
           [&state] { set_scale(state, state.appearance.scale + 0.1f); })
      .add("window.smaller", "Smaller interface", {"Ctrl+-"},
           [&state] { set_scale(state, state.appearance.scale - 0.1f); })
      .add("window.normal", "Interface at its normal size", {"Ctrl+0"}, [&state] { set_scale(state, 1); })
      .add("window.full_screen", "Full screen", {"F11"}, [&state] { state.host.toggle_full_screen(); })
      .add(
          "window.side_panels", "Show or hide the side panels", {"Ctrl+B"},
          [&state] { state.show_side_panels = !state.show_side_panels; }, {},
          [&state] { return state.show_side_panels; })
      .add("window.palette", "Search commands", {"Ctrl+K", "Ctrl+P", "Ctrl+Shift+P"},
           [&state] {
             state.show_palette = !state.show_palette;
             state.focus_palette = true;
           })
      .add(
          "window.keys", "Keys", {"F1", "?"}, [&state] { state.show_cheat_sheet = !state.show_cheat_sheet; },
          {}, [&state] { return state.show_cheat_sheet; });
  const Reason needs_view = [&state]() -> std::string {
    if (state.run() == nullptr) return why_no_run(state);
    return view_in_front(state) == nullptr ? "no view is open" : "";
  };
  const auto copy = [&state](auto text_of) {
    return [&state, text_of] {
      viz::ViewContext context{state.timeline, state.selection};
      ImGui::SetClipboardText((view_in_front(state)->*text_of)(context).c_str());
    };
  };
  table.in("View")
      .add("view.copy_value", "Copy the values under the pointer, or at the cursor", {"Ctrl+C"},
           copy(&viz::View::values_text), needs_view)
      .add("view.copy_table", "Copy the view in front as a table", {"Ctrl+Shift+C"},
           copy(&viz::View::text_twin), needs_view);
  for (std::size_t i = 0; i < state.slots.size(); ++i) {
    const std::string id = "view." + std::string(state.slots[i].view->id());
    const std::string words = "Show or hide " + std::string(state.slots[i].view->title());
    table.add(
        id.c_str(), words.c_str(), {}, [&state, i] { state.slots[i].is_open = !state.slots[i].is_open; }, {},
        [&state, i] { return state.slots[i].is_open; });
  }
}

}  // namespace

viz::View* view_in_front(State& state) {
  viz::View* first = nullptr;
  for (State::Slot& slot : state.slots) {
    if (!slot.is_open || !slot.was_visible) continue;
    if (slot.view->id() == state.focused_view) return slot.view.get();
    if (first == nullptr) first = slot.view.get();
  }
  return first;
}

void add_commands(State& state) {
  Table table(state);
  training_commands(state, table);
  time_commands(state, table);
  window_commands(state, table);
  add_export_commands(state);
  add_annotation_commands(state);
  add_run_commands(state);
}

void post(State& state, const trace::Command& command) {
  if (TrainerLink* trainer = state.host.trainer()) trainer->post(command);
}

const trace::Control* control(const State& state, const std::string& name) {
  if (!state.trainer) return nullptr;
  for (const trace::Control& candidate : state.trainer->controls) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

namespace {

// Once, where the wish was made: the start page and the dialog show it themselves.
void fail_in_place(State& state, const Error& error) {
  state.start_problem = error.what();
  if (!state.timeline.runs().empty() && !state.show_start_page && state.dialog == Dialog::None)
    state.notify(error.what(), ui::Tone::Error);
}

// What was asked for last is what is shown.
void show_newest_run(State& state) {
  state.show_start_page = false;
  if (!state.timeline.runs().empty()) state.selection.run = state.timeline.runs().back()->id();
}

}  // namespace

std::string preset_to_start(const State& state) {
  if (!state.last_preset.empty()) return state.last_preset;
  return state.presets.empty() ? "" : state.presets.front().name;
}

void open_file(State& state, const std::string& path) {
  try {
    state.host.open_recording(path);
    show_newest_run(state);
    state.start_problem.clear();
    state.recent = state.host.recent_files();
  } catch (const Error& error) {
    fail_in_place(state, error);
  }
}

void start_preset(State& state, const std::string& name) {
  try {
    state.host.start_training(name);
    state.last_preset = name;
    show_newest_run(state);
    state.start_problem.clear();
    state.timeline.cursor().follow();
  } catch (const Error& error) {
    fail_in_place(state, error);
  }
}

}  // namespace sparsescope::frame
