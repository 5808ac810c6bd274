#include "engine/train/training_loop.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

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
      outbox_(parts.schema, parts.sink),
      planned_steps_(static_cast<std::uint64_t>(parts.state.experiment().train.steps)) {
  done_.first_step = parts.state.counters().steps;
  if (parts.start == RunParts::Start::Paused) course_.mode = Mode::Paused;
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
  fill_first_frame(outbox_.frame, outbox_.events, state_, parts_.data, parts_.texts, parts_.parent);
  probe_if_due();
  send_frame();
  evaluate(What::HeldOutLoss, {});

  while (!course_.is_stopped && !is_finished()) {
    if (const auto command = parts_.inbox.take()) {
      obey(*command);
      continue;
    }
    if (!may_step()) continue;
    train_step();
    evaluate_if_due();
  }

  if (!course_.is_stopped) {
    if (done_.held_out_loss != step()) evaluate(What::HeldOutLoss, {});
    if (done_.needle != step()) evaluate(What::Needle, state_.experiment().evaluation.needle_contexts);
    // A Stop during the last evaluations comes too late to change how the run ended.
  }
  if (parts_.checkpoints.is_on() && step() > done_.first_step) save_checkpoint(CheckpointKeeper::Kind::Final);
  return course_.is_stopped ? trace::RunStatus::Stopped : trace::RunStatus::Finished;
}

void TrainingLoop::send_end(trace::RunStatus status, const std::string& message) {
  const char* words = status == trace::RunStatus::Finished  ? "finished"
                      : status == trace::RunStatus::Stopped ? "stopped"
                                                            : "failed";
  std::string text = fmt::format("{} after step {}", words, step());
  if (!message.empty()) text += ": " + message;
  outbox_.events.add(step(), EventKind::End, {{"status", words}, {"text", text}});
  send_frame();
}

// One step.
void TrainingLoop::train_step() {
  done_.step_start = Clock::now();
  const StepReport report = state_.step();
  const double probe_ms = report.is_finite ? probe_if_due() : 0;
  set_step_channels(report, probe_ms);
  done_.evaluation_ms = 0;
  if (!report.is_finite) report_non_finite(report);
  if (course_.single_steps > 0 && --course_.single_steps == 0) course_.mode = Mode::Paused;
  if (course_.pause_at != 0 && step() >= course_.pause_at) {
    record("pause_at", course_.pause_at, 0);
    course_.pause_at = 0;
    set_mode(Mode::Paused, fmt::format("paused at step {} as asked", step()), "pause");
  }
  if (parts_.checkpoints.is_on() && is_due(step(), state_.experiment().train.checkpoint_every) &&
      !is_finished()) {
    save_checkpoint(CheckpointKeeper::Kind::Scheduled);
  }
  done_.busy_seconds += milliseconds_since(done_.step_start) / 1000;
  show_step(report);
  show_mode();
  send_frame();
}

void TrainingLoop::report_non_finite(const StepReport& report) {
  outbox_.frame.flag(trace::kFlagNonFinite);
  const std::string words = report.non_finite_words + "; nothing was updated and training is paused";
  outbox_.events.add(step(), EventKind::Warning, {{"what", "non-finite"}, {"text", words}});
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
        done_.evaluation_ms, memory_bytes(state_.setup().device), outbox_.take_blocked_ms()}) {
    scalars.push_back(value);
  }
  outbox_.frame.set("scalars", scalars);
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
  outbox_.frame.set("threshold", threshold);
  outbox_.frame.set("density", density);
}

double TrainingLoop::probe_if_due() {
  const experiments::ProbeConfig& config = state_.experiment().probe;
  if (!is_due(step(), config.every)) return 0;
  const Clock::time_point start = Clock::now();
  std::vector<std::string_view> channels = {"declared", "declared_top", "scope_pooled", "attention_stats"};
  if (config.edges_every > 0 && done_.probes % static_cast<std::uint64_t>(config.edges_every) == 0)
    channels.push_back("edges");
  for (const probes::Measured& measured :
       probes::run_probes(state_.model(), parts_.texts.probe_batch, channels)) {
    outbox_.frame.set(measured.channel, measured.bytes);
  }
  ++done_.probes;
  return milliseconds_since(start);
}

// Evaluations and checkpoints.
void TrainingLoop::evaluate_if_due() {
  const experiments::EvaluationConfig& config = state_.experiment().evaluation;
  if (is_due(step(), config.every) && !evaluate(What::HeldOutLoss, {})) return;
  if (is_due(step(), config.needle_every)) evaluate(What::Needle, config.needle_contexts);
}

bool TrainingLoop::evaluate(What what, const std::vector<std::int64_t>& multiples) {
  const Clock::time_point start = Clock::now();
  data::Task task;
  task.progress = [&](const std::string& text, double fraction) {
    parts_.board.update([&](Status& status) {
      status.state = State::Evaluating;
      status.progress = {text, fraction};
    });
  };
  bool is_cancelled = false, is_whole = true, is_out_of_memory = false;
  task.cancelled = [&] {
    const Inbox::Interrupt interrupt = parts_.inbox.interrupt();
    if (interrupt == Inbox::Interrupt::CancelEvaluation) is_cancelled = true;
    return interrupt != Inbox::Interrupt::None;
  };
  try {
    if (what == What::HeldOutLoss) {
      evaluations_.held_out_loss(outbox_.frame, outbox_.events, task);
      done_.held_out_loss = step();
    } else {
      evaluations_.needle(outbox_.frame, outbox_.events, multiples, task);
      done_.needle = step();
    }
  } catch (const data::Cancelled&) {
    is_whole = false;
    if (is_cancelled) record("cancel_evaluation", "evaluating", "cancelled");
  } catch (const std::bad_alloc&) {
    is_out_of_memory = true;
  } catch (const c10::OutOfMemoryError&) {
    is_out_of_memory = true;
  } catch (const Error& error) {
    outbox_.events.add(step(), EventKind::Warning, {{"what", "evaluation"}, {"text", error.what()}});
  }
  if (is_out_of_memory) {
    outbox_.events.add(step(), EventKind::Warning,
                       {{"what", "evaluation"},
                        {"text",
                         "out of memory: this evaluation was given up, training goes on; ask for fewer "
                         "contexts"}});
  }
  done_.evaluation_ms += milliseconds_since(start);
  done_.busy_seconds += milliseconds_since(start) / 1000;
  parts_.board.update([&](Status& status) { status.progress = {}; });
  show_mode();
  send_frame();
  return is_whole;
}

void TrainingLoop::save_checkpoint(CheckpointKeeper::Kind kind) {
  try {
    const SavedCheckpoint saved = parts_.checkpoints.save(state_, parts_.data, kind);
    const char* why = kind == CheckpointKeeper::Kind::Scheduled ? "scheduled"
                      : kind == CheckpointKeeper::Kind::Asked   ? "asked for"
                                                                : "final";
    outbox_.events.add(step(), EventKind::Checkpoint,
                       {{"text", "checkpoint " + saved.name},
                        {"file", saved.name},
                        {"bytes", saved.bytes},
                        {"sha256", saved.sha256},
                        {"why", why}});
  } catch (const Error& error) {
    // Training is worth more than a checkpoint: say it and go on.
    outbox_.events.add(step(), EventKind::Warning, {{"what", "checkpoint"}, {"text", error.what()}});
  }
}

// Status.
void TrainingLoop::show_mode() {
  parts_.board.update([&](Status& status) {
    status.state = course_.mode == Mode::Paused ? State::Paused : State::Training;
    status.message = course_.mode == Mode::Paused ? course_.message : std::string();
    status.pause_at = course_.pause_at;
  });
}

void TrainingLoop::show_step(const StepReport& report) {
  const experiments::Experiment& experiment = state_.experiment();
  const double tokens = static_cast<double>(experiment.train.batch * experiment.model.context);
  const auto done = static_cast<double>(step() - done_.first_step);
  double seconds_per_step = done_.busy_seconds / std::max(done, 1.0);
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
