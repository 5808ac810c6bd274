// The table of every action, put together from its groups; and what several of them do: posting to the
// trainer, opening, starting.
#include <fmt/format.h>

#include "engine/trace/error.h"
#include "viz/frame/command_builder.h"

namespace sparsescope::frame {

void add_commands(State& state) {
  add_training_commands(state);
  add_time_commands(state);
  add_selection_commands(state);
  add_run_commands(state);
  add_needle_commands(state);
  add_comparison_commands(state);
  add_file_commands(state);
  add_view_commands(state);
  add_cell_commands(state);
  add_window_commands(state);
  add_export_commands(state);
  add_annotation_commands(state);
  add_track_commands(state);
  add_new_run_commands(state);
}

void refresh_commands(State& state) {
  if (!state.trainer) return;
  std::vector<std::string> names;
  for (const trace::Control& control : state.trainer->controls) names.push_back(control.name);
  if (names == state.controls_in_table) return;
  add_control_commands(state);
  state.controls_in_table = std::move(names);
}

void run_command(State& state, const std::string& id) {
  const std::string reason = state.commands.run(id);
  if (reason.empty()) return;
  const viz::UiCommand* command = state.commands.find(id);
  state.notify((command != nullptr ? command->words : id) + ": " + reason, ui::Tone::Neutral);
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

std::string left_closed_in_words(std::size_t count, std::string_view what) {
  return fmt::format("The first {} of {} {} are open; open the others one by one", kMostAtOnce, count, what);
}

std::string preset_to_start(const State& state) {
  if (!state.last_preset.empty()) return state.last_preset;
  return state.presets.empty() ? "" : state.presets.front().name;
}

void open_file(State& state, const std::string& path) {
  try {
    const std::string words = state.host.open_recording(path);
    if (!words.empty()) state.notify(words, ui::Tone::Neutral);
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
