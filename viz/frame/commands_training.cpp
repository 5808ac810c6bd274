// Commands of a training run: start, pause, evaluate, look closer, write, stop.
#include <fmt/format.h>

#include "viz/frame/command_builder.h"

namespace sparsescope::frame {
namespace {

void add_presets(State& state, CommandBuilder& table) {
  for (const PresetCard& preset : state.presets) {
    table.add(
        "train.preset." + preset.name, "Train the preset " + preset.name, {},
        [&state, name = preset.name] { start_preset(state, name); },
        [&state] { return state.host.why_no_training(); });
  }
}

void toggle_training(State& state) {
  if (!state.trainer || state.trainer->is_over()) return start_preset(state, preset_to_start(state));
  if (state.trainer->state == TrainerStatus::State::Paused) return post(state, trace::Resume{});
  post(state, trace::Pause{});
}

std::string why_no_toggle(State& state) {
  if (state.trainer && !state.trainer->is_over()) return "";
  if (const std::string reason = state.host.why_no_training(); !reason.empty()) return reason;
  return state.presets.empty() ? "no preset is installed" : "";
}

viz::CommandArgument step_to_pause_at(State& state) {
  viz::CommandArgument step{viz::CommandArgument::Kind::WholeNumber, "step"};
  step.range = [&state] {
    const std::uint64_t planned = state.trainer ? state.trainer->planned_steps : 0;
    return viz::Range{0, planned > 0 ? static_cast<double>(planned) : 1e15};
  };
  step.current = [&state] {
    return state.trainer && state.trainer->pause_at > 0 ? std::to_string(state.trainer->pause_at) : "";
  };
  step.why_not = [&state](const std::string& value) -> std::string {
    const auto wanted = static_cast<std::uint64_t>(*viz::number_from_text(value));
    if (!state.trainer || wanted == 0 || wanted > state.trainer->step) return "";
    return "that step is over; choose a later one, or 0 to remove the mark";
  };
  return step;
}

std::string why_nothing_to_cancel(State& state) {
  if (const std::string reason = why_no_trainer(state); !reason.empty()) return reason;
  return state.trainer->state == TrainerStatus::State::Evaluating ? "" : "nothing is being evaluated";
}

}  // namespace

void add_training_commands(State& state) {
  CommandBuilder table(state);
  table.in("Training");
  const Reason running = [&state] { return why_no_trainer(state); };
  const auto posts = [&state](trace::Command command) { return [&state, command] { post(state, command); }; };
  add_presets(state, table);
  table
      .add(
          "train.toggle", "Start or pause training", {"T"}, [&state] { toggle_training(state); },
          [&state] { return why_no_toggle(state); })
      .add("train.step", "Train one step, then pause", {"Ctrl+T"}, posts(trace::StepOnce{}), running)
      .ask(
          "train.pause_at", "Pause at a step…", {"Alt+P"}, step_to_pause_at(state),
          [&state](const std::string& value) {
            post(state, trace::PauseAt{static_cast<std::uint64_t>(*viz::number_from_text(value))});
          },
          running)
      .add("train.evaluate", "Evaluate now", {"E"}, posts(trace::EvaluateNow{}), running)
      .add("train.evaluate_long", "Evaluate now, with the longest contexts", {"Shift+E"},
           posts(trace::EvaluateNow{{1, 4, 16}}), running)
      .add("train.cancel_evaluation", "Cancel the evaluation", {"Ctrl+."}, posts(trace::CancelEvaluation{}),
           [&state] { return why_nothing_to_cancel(state); })
      .add("train.record_edges", "Record the routing edges now", {"R"}, posts(trace::RecordEdges{}), running)
      .add("train.checkpoint", "Write a checkpoint", {"Ctrl+Shift+S"}, posts(trace::SaveCheckpoint{}),
           running)
      .add("train.stop", "Stop training and close the recording", {"Ctrl+Shift+T"}, posts(trace::Stop{}),
           running);
}

}  // namespace sparsescope::frame
