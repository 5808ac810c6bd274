#include "engine/train/training_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/evaluate/needle.h"
#include "engine/model/spark_statistics.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

using Clock = Inbox::Clock;
using State = Status::State;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

bool is_due(std::uint64_t step, std::int64_t every) {
  return every > 0 && step % static_cast<std::uint64_t>(every) == 0;
}

}  // namespace

TrainingLoop::TrainingLoop(const RunParts& parts)
    : parts_(parts),
      state_(parts.state),
      evaluations_(parts.state, parts.data, parts.texts),
      frame_(parts.schema),
      planned_steps_(static_cast<std::uint64_t>(parts.state.experiment().train.steps)),
      first_step_(parts.state.counters().steps) {
  if (parts.start == RunParts::Start::Paused) mode_ = Mode::Paused;
}

trace::RunStatus TrainingLoop::run() {
  parts_.board.update([&](Status& status) {
    status.step = step();
    status.planned_steps = planned_steps_;
    status.progress = {};
    status.has_thresholds = state_.is_spark();
    status.controls = state_.model().controls().controls();
  });
  show_mode();
  fill_first_frame(frame_, events_, state_, parts_.data, parts_.texts, parts_.parent);
  probe_if_due();
  send_frame();
  evaluate(What::HeldOutLoss, {});

  while (!is_stopped_ && !is_finished()) {
    while (const auto command = parts_.inbox.take()) obey(*command);
    if (is_stopped_ || !may_step()) continue;
    train_step();
    evaluate_if_due();
  }

  if (!is_stopped_) {
    if (last_held_out_ != step()) evaluate(What::HeldOutLoss, {});
    if (last_needle_ != step()) evaluate(What::Needle, state_.experiment().evaluation.needle_contexts);
    // A Stop during the last evaluations comes too late to change how the run ended.
  }
  if (parts_.checkpoints.is_on() && step() > first_step_) save_checkpoint(CheckpointKeeper::Kind::Final);
  return is_stopped_ ? trace::RunStatus::Stopped : trace::RunStatus::Finished;
}

void TrainingLoop::send_end(trace::RunStatus status, const std::string& message) {
  const char* words = status == trace::RunStatus::Finished  ? "finished"
                      : status == trace::RunStatus::Stopped ? "stopped"
                                                            : "failed";
  std::string text = fmt::format("{} after step {}", words, step());
  if (!message.empty()) text += ": " + message;
  events_.add(step(), EventKind::End, {{"status", words}, {"text", text}});
  send_frame();
}

// --- one step
// ------------------------------------------------------------------------------------------------------

void TrainingLoop::train_step() {
  last_step_start_ = Clock::now();
  const StepReport report = state_.step();
  const double probe_ms = report.is_finite ? probe_if_due() : 0;
  set_step_channels(report, probe_ms);
  evaluation_ms_ = blocked_ms_ = 0;
  if (!report.is_finite) report_non_finite(report);
  if (single_steps_ > 0 && --single_steps_ == 0) mode_ = Mode::Paused;
  if (pause_at_ != 0 && step() >= pause_at_) {
    record("pause_at", pause_at_, 0);
    pause_at_ = 0;
    set_mode(Mode::Paused, fmt::format("paused at step {} as asked", step()), "pause");
  }
  if (parts_.checkpoints.is_on() && is_due(step(), state_.experiment().train.checkpoint_every) &&
      !is_finished()) {
    save_checkpoint(CheckpointKeeper::Kind::Scheduled);
  }
  busy_seconds_ += milliseconds_since(last_step_start_) / 1000;
  show_step(report);
  show_mode();
  send_frame();
}

void TrainingLoop::report_non_finite(const StepReport& report) {
  frame_.flag(trace::kFlagNonFinite);
  const std::string words = report.non_finite_words + "; nothing was updated and training is paused";
  events_.add(step(), EventKind::Warning, {{"what", "non-finite"}, {"text", words}});
  set_mode(Mode::Paused, words, "pause");
}

void TrainingLoop::set_step_channels(const StepReport& report, double probe_ms) {
  const experiments::Experiment& experiment = state_.experiment();
  const auto tokens_per_step = static_cast<double>(experiment.train.batch * experiment.model.context);
  std::vector<double> scalars = report.loss_terms;
  for (double value :
       {report.total_loss, report.learning_rate, report.gradient_norm,
        static_cast<double>(step()) * tokens_per_step, 1000 * tokens_per_step / report.total_ms,
        report.total_ms, report.data_ms, report.forward_ms, report.backward_ms, report.optimizer_ms, probe_ms,
        evaluation_ms_, memory_bytes(state_.setup().device), blocked_ms_}) {
    scalars.push_back(value);
  }
  frame_.set("scalars", scalars);
  if (!state_.is_spark()) return;

  std::vector<float> threshold, density;
  const TrainingState::Counters& counters = state_.counters();
  for (std::size_t layer = 0; layer < report.theta_after.size(); ++layer) {
    const double* s = report.spark.data() + layer * model::kSparkStatisticCount;
    const double theta = report.theta_after[layer];
    const double sigmas = (theta - s[model::kScoreMean]) / s[model::kScoreStd];
    for (double value : {theta, s[model::kScoreMean], s[model::kScoreStd], sigmas,
                         theta - counters.initial_thetas[layer], counters.reach, s[model::kThetaGradient]}) {
      threshold.push_back(static_cast<float>(value));
    }
    for (double value : {s[model::kDirect], s[model::kInherited], s[model::kFallback], s[model::kSelf],
                         s[model::kScope], s[model::kEmptyRows], s[model::kExpected]}) {
      density.push_back(static_cast<float>(value));
    }
  }
  frame_.set("threshold", threshold);
  frame_.set("density", density);
}

double TrainingLoop::probe_if_due() {
  const experiments::ProbeConfig& config = state_.experiment().probe;
  if (!is_due(step(), config.every)) return 0;
  const Clock::time_point start = Clock::now();
  std::vector<std::string_view> channels = {"declared", "declared_top", "scope_pooled", "attention_stats"};
  if (config.edges_every > 0 && probes_made_ % static_cast<std::uint64_t>(config.edges_every) == 0)
    channels.push_back("edges");
  for (const probes::Measured& measured :
       probes::run_probes(state_.model(), parts_.texts.probe_batch, channels)) {
    frame_.set(measured.channel, measured.bytes);
  }
  ++probes_made_;
  return milliseconds_since(start);
}

void TrainingLoop::send_frame() {
  EventLog::Taken taken = events_.take();
  if (!taken.elements.empty()) frame_.set("events", taken.elements);
  if (!taken.payload.empty()) frame_.set("event_payloads", taken.payload);
  if (frame_.is_empty()) return;
  const Clock::time_point start = Clock::now();
  parts_.sink.on_frame(frame_.take(step()));
  blocked_ms_ += milliseconds_since(start);
}

// --- evaluations and checkpoints
// -------------------------------------------------------------------------------------

void TrainingLoop::evaluate_if_due() {
  const experiments::EvaluationConfig& config = state_.experiment().evaluation;
  if (mode_ == Mode::Paused && !is_due(step(), config.every) && !is_due(step(), config.needle_every)) return;
  if (is_due(step(), config.every)) evaluate(What::HeldOutLoss, {});
  if (is_due(step(), config.needle_every)) evaluate(What::Needle, config.needle_contexts);
}

void TrainingLoop::evaluate(What what, const std::vector<std::int64_t>& multiples) {
  const Clock::time_point start = Clock::now();
  data::Task task;
  task.progress = [&](const std::string& text, double fraction) {
    parts_.board.update([&](Status& status) {
      status.state = State::Evaluating;
      status.progress = {text, fraction};
    });
  };
  bool is_cancelled = false;
  task.cancelled = [&] {
    const Inbox::Interrupt interrupt = parts_.inbox.interrupt();
    if (interrupt == Inbox::Interrupt::CancelEvaluation) is_cancelled = true;
    return interrupt != Inbox::Interrupt::None;
  };
  try {
    if (what == What::HeldOutLoss) {
      evaluations_.held_out_loss(frame_, events_, task);
      last_held_out_ = step();
    } else {
      evaluations_.needle(frame_, events_, multiples, task);
      last_needle_ = step();
    }
  } catch (const data::Cancelled&) {
    if (is_cancelled) record("cancel_evaluation", "evaluating", "cancelled");
  } catch (const Error& error) {
    events_.add(step(), EventKind::Warning, {{"what", "evaluation"}, {"text", error.what()}});
  }
  evaluation_ms_ += milliseconds_since(start);
  busy_seconds_ += milliseconds_since(start) / 1000;
  parts_.board.update([&](Status& status) { status.progress = {}; });
  show_mode();
  send_frame();
}

void TrainingLoop::save_checkpoint(CheckpointKeeper::Kind kind) {
  try {
    const SavedCheckpoint saved = parts_.checkpoints.save(state_, parts_.data, kind);
    const char* why = kind == CheckpointKeeper::Kind::Scheduled ? "scheduled"
                      : kind == CheckpointKeeper::Kind::Asked   ? "asked for"
                                                                : "final";
    events_.add(step(), EventKind::Checkpoint,
                {{"text", "checkpoint " + saved.name},
                 {"file", saved.name},
                 {"bytes", saved.bytes},
                 {"sha256", saved.sha256},
                 {"why", why}});
  } catch (const Error& error) {
    // Training is worth more than a checkpoint: say it and go on.
    events_.add(step(), EventKind::Warning, {{"what", "checkpoint"}, {"text", error.what()}});
  }
}

// --- status
// ----------------------------------------------------------------------------------------------------------

void TrainingLoop::show_mode() {
  parts_.board.update([&](Status& status) {
    status.state = mode_ == Mode::Paused ? State::Paused : State::Training;
    status.message = mode_ == Mode::Paused ? mode_message_ : std::string();
    status.pause_at = pause_at_;
  });
}

void TrainingLoop::show_step(const StepReport& report) {
  const experiments::Experiment& experiment = state_.experiment();
  const double tokens = static_cast<double>(experiment.train.batch * experiment.model.context);
  const auto done = static_cast<double>(step() - first_step_);
  double seconds_per_step = busy_seconds_ / std::max(done, 1.0);
  if (const double pace = state_.control(kPace); pace > 0)
    seconds_per_step = std::max(seconds_per_step, 1 / pace);
  double theta = 0, direct = 0;
  const auto layers = static_cast<double>(std::max<std::size_t>(report.theta_after.size(), 1));
  for (std::size_t layer = 0; layer < report.theta_after.size(); ++layer) {
    theta += report.theta_after[layer] / layers;
    direct += report.spark[layer * model::kSparkStatisticCount + model::kDirect] / layers;
  }
  parts_.board.update([&](Status& status) {
    status.step = step();
    status.loss_nats = report.loss_terms.empty() ? report.total_loss : report.loss_terms.front();
    const double now = 1000 * tokens / report.total_ms;
    status.tokens_per_second =
        status.tokens_per_second > 0 ? 0.9 * status.tokens_per_second + 0.1 * now : now;
    status.seconds_left =
        static_cast<double>(planned_steps_ - std::min(planned_steps_, step())) * seconds_per_step;
    status.mean_theta = theta;
    status.mean_direct_density = direct;
  });
}

}  // namespace sparsescope::train
