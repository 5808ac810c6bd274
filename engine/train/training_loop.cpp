#include "engine/train/training_loop.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

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

WatchingSettings watching_settings(const TrainingState& state) {
  const experiments::Experiment& experiment = state.experiment();
  const bool has_edges = state.is_spark();
  return {.probe_every = experiment.probe.every,
          .edges_every = has_edges ? experiment.probe.edges_every : 0,
          .sample_every = experiment.sample.every,
          .budget_percent = state.control(kProbeBudget),
          .measure_every_minutes = experiment.probe.measure_every_minutes};
}

std::vector<std::int64_t> possible_multiples(const RunParts& parts) {
  std::vector<std::int64_t> multiples = needle_multiples(parts.state.experiment().evaluation);
  std::erase_if(multiples, [&](std::int64_t multiple) {
    return needle_obstacle(parts.state, parts.data, multiple).has_value();
  });
  return multiples;
}

}  // namespace

TrainingLoop::TrainingLoop(const RunParts& parts)
    : parts_(parts),
      state_(parts.state),
      evaluations_(parts.state, parts.data, parts.texts),
      outbox_(parts.schema, parts.sink),
      planned_steps_(static_cast<std::uint64_t>(parts.state.experiment().train.steps)),
      watching_(watching_settings(parts.state)),
      recording_(parts.schema->channels, parts.state.experiment(), parts.state.model().vocabulary(), step(),
                 parts.recorded),
      times_(parts.state.experiment(), parts.state.model().vocabulary(), possible_multiples(parts)),
      prober_(parts.state.model(), parts.texts.probe_batch, parts.state.graph_pool()),
      probe_text_(parts.texts.probe_ids.begin(),
                  parts.texts.probe_ids.begin() + parts.state.experiment().model.context) {
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
  if (!parts_.notice.empty())
    outbox_.events.add(step(), EventKind::Warning, {{"what", "resume"}, {"text", parts_.notice}});
  announce_recording_budget();
  prepare_probes();
  begin_probe_if_due();
  double no_shadow_ms = 0;
  finish_probe(no_shadow_ms);
  send_frame();
  evaluate(What::HeldOutLoss, {});

  while (!course_.is_stopped && !is_finished()) {
    if (state_.is_step_begun()) {
      train_step();
      evaluate_if_due();
      sample_if_due();
      continue;
    }
    if (const auto command = parts_.inbox.take()) {
      obey(*command);
      continue;
    }
    if (!may_step()) continue;
    train_step();
    evaluate_if_due();
    sample_if_due();
  }

  if (!course_.is_stopped) {
    if (done_.held_out_loss != step()) evaluate(What::HeldOutLoss, {});
    if (done_.needle != step()) evaluate(What::Needle, state_.experiment().evaluation.needle_contexts);
    // A Stop during the last evaluations comes too late to change how the run ended.
  }
  if (parts_.checkpoints.is_on() && step() > done_.first_step) save_checkpoint(CheckpointKeeper::Kind::Final);
  parts_.checkpoints.wait();
  send_frame();
  return course_.is_stopped ? trace::RunStatus::Stopped : trace::RunStatus::Finished;
}

void TrainingLoop::send_end(trace::RunStatus status, const std::string& message) {
  const char* words = status == trace::RunStatus::Finished  ? "finished"
                      : status == trace::RunStatus::Stopped ? "stopped"
                                                            : "failed";
  parts_.checkpoints.wait();  // after a failure, too: what was begun is finished and told
  report_checkpoints();
  std::string text = fmt::format("{} after step {}", words, step());
  if (!message.empty()) text += ": " + message;
  nlohmann::ordered_json fields = {{"status", words}, {"text", text}};
  if (const std::string left_out = recording_.left_out_in_words(); !left_out.empty()) {
    fields["text"] = text + "; " + left_out;
    fields["left_out"] = {{"probes", recording_.probes_left_out()}, {"edges", recording_.edges_left_out()}};
  }
  outbox_.events.add(step(), EventKind::End, fields);
  send_frame();
}

// One step.
void TrainingLoop::train_step() {
  const Clock::time_point before = std::exchange(done_.step_start, Clock::now());
  if (!done_.was_interrupted) {
    double period_ms =
        std::chrono::duration<double, std::milli>(done_.step_start - before).count() - done_.aside_ms;
    // What was done aside may have used up the wait that the pace asks for.
    if (const double pace = state_.control(kPace); pace > 0) period_ms = std::max(period_ms, 1000 / pace);
    const double rate = 1000 / std::max(period_ms, 1e-3);
    done_.steps_per_second = done_.steps_per_second > 0 ? 0.8 * done_.steps_per_second + 0.2 * rate : rate;
  }
  done_.was_interrupted = false;
  done_.aside_ms = 0;
  const StepReport report = state_.step();
  if (report.is_finite) begin_probe_if_due();
  double shadow_ms = 0;  // of the next step, which is taken to be as long as this one
  if (report.is_finite && may_look_ahead()) {
    state_.begin_step();
    shadow_ms = report.total_ms;
  }
  const double probe_ms = finish_probe(shadow_ms);
  set_step_channels(report, probe_ms);
  done_.evaluation_ms = 0;
  if (!report.is_finite) report_non_finite(report);
  if (course_.single_steps > 0 && --course_.single_steps == 0) course_.mode = Mode::Paused;
  if (course_.pause_at != 0 && step() >= course_.pause_at) {
    record("pause_at", course_.pause_at, 0);
    course_.pause_at = 0;
    set_mode(Mode::Paused, fmt::format("paused at step {} as asked", step()), "pause");
  }
  times_.stepped(report.forward_ms);
  done_.busy_seconds += milliseconds_since(done_.step_start) / 1000;
  show_step(report);
  show_mode();
  send_frame();
  watching_.stepped(step(), report.total_ms, milliseconds_since(done_.step_start),
                    std::max(0.0, outbox_.blocked_ms() - shadow_ms), seconds());
  if (parts_.checkpoints.is_on() && is_due(step(), state_.experiment().train.checkpoint_every) &&
      !is_finished()) {
    save_checkpoint(CheckpointKeeper::Kind::Scheduled);
  }
}

bool TrainingLoop::may_look_ahead() const {
  const experiments::Experiment& experiment = state_.experiment();
  const bool is_free = course_.mode == Mode::Training && course_.single_steps == 0 && course_.pause_at == 0 &&
                       state_.control(kPace) <= 0 && !is_finished() && !parts_.inbox.is_waiting();
  const bool is_something_due =
      is_due(step(), experiment.evaluation.every) || is_due(step(), experiment.evaluation.needle_every) ||
      is_due(step(), experiment.sample.every) ||
      (parts_.checkpoints.is_on() && is_due(step(), experiment.train.checkpoint_every));
  return state_.steps_overlap() && is_free && !is_something_due;
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

// Evaluations and checkpoints.
void TrainingLoop::evaluate_if_due() {
  const experiments::EvaluationConfig& config = state_.experiment().evaluation;
  if (is_due(step(), config.every) && !evaluate(What::HeldOutLoss, {})) return;
  if (is_due(step(), config.needle_every)) evaluate(What::Needle, config.needle_contexts);
}

bool TrainingLoop::attempt(const char* what, const std::function<void(const data::Task&)>& work,
                           const nlohmann::ordered_json& about) {
  const Clock::time_point start = Clock::now();
  data::Task task;
  task.progress = [&](const std::string& text, double fraction) {
    parts_.board.update([&](Status& status) {
      status.state = State::Evaluating;
      status.progress = {text, fraction};
    });
  };
  const auto warn = [&](const std::string& text) {
    nlohmann::ordered_json fields = {{"what", what}, {"text", text}};
    fields.update(about);
    outbox_.events.add(step(), EventKind::Warning, fields);
  };
  bool is_cancelled = false, is_whole = true, is_out_of_memory = false;
  task.cancelled = [&] {
    const Inbox::Interrupt interrupt = parts_.inbox.interrupt();
    if (interrupt == Inbox::Interrupt::CancelEvaluation) is_cancelled = true;
    if (interrupt != Inbox::Interrupt::None) is_whole = false;
    return interrupt != Inbox::Interrupt::None;
  };
  try {
    work(task);
  } catch (const data::Cancelled&) {
    is_whole = false;
  } catch (const std::bad_alloc&) {
    is_out_of_memory = true;
  } catch (const c10::OutOfMemoryError&) {
    is_out_of_memory = true;
  } catch (const Error& error) {
    warn(error.what());
  }
  if (is_cancelled) record("cancel_evaluation", "evaluating", "cancelled");
  if (is_out_of_memory)
    warn(fmt::format(
        "out of memory: this {} was given up, training goes on; ask for fewer or shorter contexts", what));
  done_.aside_ms += milliseconds_since(start);
  done_.busy_seconds += milliseconds_since(start) / 1000;
  parts_.board.update([&](Status& status) { status.progress = {}; });
  show_mode();
  show_costs();
  send_frame();
  return is_whole;
}

bool TrainingLoop::evaluate(What what, const std::vector<std::int64_t>& multiples) {
  const Clock::time_point start = Clock::now();
  nlohmann::ordered_json about = nlohmann::ordered_json::object();
  if (multiples.size() == 1) about["context"] = multiples.front();
  const bool is_whole = attempt(
      "evaluation",
      [&](const data::Task& task) {
        if (what == What::HeldOutLoss) {
          evaluations_.held_out_loss(outbox_.frame, outbox_.events, task);
          times_.held_out_took(milliseconds_since(start) / 1000);
          done_.held_out_loss = step();
        } else {
          evaluations_.needle(outbox_.frame, outbox_.events, multiples, task, times_);
          done_.needle = step();
        }
      },
      about);
  done_.evaluation_ms += milliseconds_since(start);
  return is_whole;
}

void TrainingLoop::save_checkpoint(CheckpointKeeper::Kind kind) {
  const Clock::time_point start = Clock::now();
  parts_.checkpoints.save(state_, parts_.data, kind);
  done_.busy_seconds += milliseconds_since(start) / 1000;
}

// What the worker has finished. A checkpoint that cannot be written stops nothing: training is worth more.
void TrainingLoop::report_checkpoints() {
  for (const CheckpointKeeper::Outcome& outcome : parts_.checkpoints.take_outcomes()) {
    if (!outcome.failure.empty()) {
      outbox_.events.add(
          step(), EventKind::Warning,
          {{"what", "checkpoint"}, {"checkpoint_step", outcome.step}, {"text", outcome.failure}});
      continue;
    }
    const char* why = outcome.kind == CheckpointKeeper::Kind::Scheduled ? "scheduled"
                      : outcome.kind == CheckpointKeeper::Kind::Asked   ? "asked for"
                                                                        : "final";
    outbox_.events.add(step(), EventKind::Checkpoint,
                       {{"text", "checkpoint " + outcome.saved.name},
                        {"file", outcome.saved.name},
                        {"bytes", outcome.saved.bytes},
                        {"sha256", outcome.saved.sha256},
                        {"checkpoint_step", outcome.step},
                        {"why", why}});
  }
}

void TrainingLoop::send_frame() {
  report_checkpoints();
  for (const nlohmann::ordered_json& fields : watching_.take_events())
    outbox_.events.add(step(), EventKind::Watching, fields);
  if (watching_.is_row_due(step())) outbox_.frame.set("watching", watching_.take_row(step()));
  outbox_.send(step());
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
    status.steps_per_second = done_.steps_per_second;
  });
  show_costs();
}

void TrainingLoop::show_costs() {
  std::vector<EvaluationEstimate> needle = times_.needle();
  parts_.board.update([&](Status& status) {
    status.evaluations = std::move(needle);
    status.held_out_seconds = times_.held_out_seconds();
    status.watching_percent = watching_.cost_percent();
    status.is_watching_measured = watching_.is_measured();
    status.probe_budget_percent = watching_.budget_percent();
  });
}

double TrainingLoop::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

}  // namespace sparsescope::train
