// The training loop's answers to live commands: applied between steps, allowed while paused, recorded with
// old and new value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/train/run_schema.h"
#include "engine/train/training_loop.h"

namespace sparsescope::train {
namespace {

using Clock = Inbox::Clock;

constexpr double kLongestPeriodSeconds = 3600;  // between two steps, however small the pace

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

void TrainingLoop::obey(const trace::Command& command) {
  std::visit(
      Overloaded{
          [&](const trace::Resume&) { set_mode(Mode::Training, "", "resume"); },
          [&](const trace::Pause&) { set_mode(Mode::Paused, "", "pause"); },
          [&](const trace::StepOnce&) {
            record("step_once", course_.mode == Mode::Paused ? "paused" : "training", "one step");
            course_.mode = Mode::Paused;
            course_.message.clear();
            ++course_.single_steps;
          },
          [&](const trace::PauseAt& pause) { set_pause_at(pause.step); },
          [&](const trace::SetControl& set) { set_control(set); },
          [&](const trace::EvaluateNow& evaluate_now) {
            record("evaluate_now", nullptr, evaluate_now.context_multiples);
            std::vector<std::int64_t> multiples(evaluate_now.context_multiples.begin(),
                                                evaluate_now.context_multiples.end());
            if (multiples.empty()) multiples = state_.experiment().evaluation.needle_contexts;
            for (std::int64_t multiple : multiples) {
              const auto known = needle_multiples(state_.experiment().evaluation);
              if (std::find(known.begin(), known.end(), multiple) == known.end()) {
                refuse(fmt::format(
                    "the run records no needle at {}x; name it in evaluation.needle_contexts_on_demand",
                    multiple));
              } else if (const auto obstacle = needle_obstacle(state_, parts_.data, multiple)) {
                refuse(*obstacle);
              }
            }
            send_frame();
            // Context by context, each in a frame of its own: cells fill as they finish, Cancel keeps them.
            bool goes_on = evaluate(What::HeldOutLoss, {});
            for (std::size_t i = 0; goes_on && i < multiples.size(); ++i)
              goes_on = evaluate(What::Needle, {multiples[i]});
          },
          [&](const trace::CancelEvaluation&) { record("cancel_evaluation", "none", "none"); },
          [&](const trace::RecordEdges&) { record_edges(); },
          [&](const trace::InjectNeedle& inject) { inject_needle(inject.depth); },
          [&](const trace::GenerateText& generate) { generate_text(generate); },
          [&](const trace::SaveCheckpoint&) {
            if (parts_.checkpoints.is_on()) {
              record("checkpoint", nullptr, step());
              save_checkpoint(CheckpointKeeper::Kind::Asked);
            } else {
              refuse("no checkpoint can be written: this run has no place for checkpoints");
            }
          },
          [&](const trace::Stop&) {
            record("stop", course_.mode == Mode::Paused ? "paused" : "training", "stopped");
            course_.is_stopped = true;
          },
      },
      command);
  show_mode();
  if (!outbox_.events.is_empty()) send_frame();
}

void TrainingLoop::record(const char* command, const nlohmann::ordered_json& old_value,
                          const nlohmann::ordered_json& new_value) {
  outbox_.events.add(step(), EventKind::Command,
                     {{"command", command}, {"old", old_value}, {"new", new_value}});
}

void TrainingLoop::refuse(const std::string& words) {
  outbox_.events.add(step(), EventKind::Warning, {{"what", "command refused"}, {"text", words}});
}

void TrainingLoop::set_mode(Mode mode, const std::string& message, const char* command) {
  const auto words = [](Mode m) { return m == Mode::Paused ? "paused" : "training"; };
  record(command, words(course_.mode), words(mode));
  course_.mode = mode;
  course_.message = message;
  course_.single_steps = 0;
}

void TrainingLoop::set_pause_at(std::uint64_t at) {
  if (at != 0 && (at <= step() || at > planned_steps_)) {
    refuse(fmt::format("cannot pause at step {}: the run is at step {} and ends at {}", at, step(),
                       planned_steps_));
    return;
  }
  record("pause_at", course_.pause_at, at);
  course_.pause_at = at;
}

void TrainingLoop::set_control(const trace::SetControl& command) {
  try {
    const double old_value = state_.control(command.name);
    if (old_value == command.value) return;  // a slider held still says nothing new
    state_.set_control(command.name, command.value);
    nlohmann::ordered_json fields = {
        {"command", "set"}, {"name", command.name}, {"old", old_value}, {"new", command.value}};
    if (command.name == kWatching) {
      watching_.set_on(state_.control(kWatching) != 0);
      fields["text"] = watching_.is_on() ? "watching is on: probes and text samples come as scheduled"
                                         : "watching is off: no probes and no text samples from here on";
    }
    if (command.name == kProbeBudget) watching_.set_budget(command.value);
    outbox_.events.add(step(), EventKind::Command, fields);
  } catch (const Error& error) {
    refuse(error.what());
    return;
  }
  parts_.board.update([&](Status& status) { status.controls = state_.model().controls().controls(); });
  show_costs();
}

bool TrainingLoop::may_step() {
  if (course_.mode == Mode::Paused && course_.single_steps == 0) {
    parts_.inbox.wait(std::nullopt);
    done_.was_interrupted = true;
    send_frame();  // a checkpoint that was finished meanwhile
    return false;
  }
  const double pace = state_.control(kPace);
  if (pace <= 0) return true;
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(1 / pace, kLongestPeriodSeconds)));
  const Clock::time_point due = done_.step_start + period;
  if (Clock::now() >= due) return true;
  parts_.inbox.wait(due);
  return Clock::now() >= due;
}

}  // namespace sparsescope::train
