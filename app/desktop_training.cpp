// From the trainer's words to the window's, and the cards of the start page.
#include "app/desktop_training.h"

#include <fmt/format.h>

#include "engine/trace/error.h"
#include "engine/train/run_estimate.h"
#include "viz/model/format.h"

namespace sparsescope::app {
namespace {

constexpr std::size_t kScreenBytes = 64u
                                     << 20;  // beyond this the screen drops the oldest frames and counts them

frame::TrainerStatus::State state_of(train::Status::State state) {
  using From = train::Status::State;
  using To = frame::TrainerStatus::State;
  switch (state) {
    case From::Preparing:
      return To::Preparing;
    case From::Training:
      return To::Training;
    case From::Paused:
      return To::Paused;
    case From::Evaluating:
      return To::Evaluating;
    case From::Finished:
      return To::Finished;
    case From::Stopped:
      return To::Stopped;
    case From::Failed:
      return To::Failed;
  }
  return To::Failed;
}

}  // namespace

std::shared_ptr<LiveRun> LiveRun::start(const RunArguments& arguments, viz::Timeline& timeline) {
  TrainingRunOptions options = run_from_arguments(arguments);
  auto live = std::shared_ptr<LiveRun>(new LiveRun);
  live->mailbox_ = std::make_shared<trace::Mailbox>(kScreenBytes, trace::Overflow::DropOldest);
  live->commit_seconds_ = static_cast<double>(options.recorder.commit_nanos) / 1e9;
  const experiments::Experiment& experiment = options.request.experiment;
  const std::string name = fmt::format("{}, seed {}", experiment.name, experiment.train.seed);
  const train::Device device = train::resolve_device(options.request.device);
  live->rate_ = {0, train::estimate_run(experiment, device).parameters,
                 device == train::Device::Cuda ? "cuda" : "cpu"};
  live->profile_ = experiment.profile == "gpu" ? "GPU profile" : "CPU profile";
  options.screen = live->mailbox_.get();
  live->run_ = std::make_shared<TrainingRun>(std::move(options));

  viz::Feed feed;
  feed.mailbox = live->mailbox_;
  if (live->run_->recorder() != nullptr) {
    // The rows live as long as the run and its mailbox do.
    feed.rows = std::shared_ptr<trace::RowSource>(live, live->run_->recorder());
  }
  feed.name = name;
  live->run_id_ = timeline.add_run(std::move(feed)).id();
  return live;
}

frame::TrainerStatus LiveRun::status() const {
  const bool is_finished = run_->is_finished();  // before the status: what has ended has its last words there
  const train::Status from = run_->status();
  frame::TrainerStatus to;
  to.state = state_of(from.state);
  to.message = from.message;
  to.progress_text = from.progress.text;
  to.progress_fraction = from.progress.fraction;
  to.step = from.step;
  to.planned_steps = from.planned_steps;
  to.pause_at = from.pause_at;
  to.loss_nats = from.loss_nats;
  to.tokens_per_second = from.tokens_per_second;
  to.steps_per_second = from.steps_per_second;
  to.seconds_left = from.seconds_left;
  for (const train::EvaluationEstimate& estimate : from.evaluations)
    to.evaluation_estimates.push_back({estimate.context_multiple, estimate.seconds, estimate.is_measured});
  to.held_out_seconds = from.held_out_seconds;
  to.watching_percent = from.watching_percent;
  to.is_watching_measured = from.is_watching_measured;
  to.probe_budget_percent = from.probe_budget_percent;
  to.device = from.device.empty() ? profile_ : from.device + ", " + profile_;
  to.controls = from.controls;
  check(!is_finished || to.is_over(), "a run that is over says so");
  if (is_finished && !has_ended_) {
    // A run that ended before its schema sent nothing: its end is told here.
    has_ended_ = true;
    try {
      run_->wait();
    } catch (const std::exception& error) {
      const bool was_stopped = to.state == frame::TrainerStatus::State::Stopped;
      mailbox_->on_end({was_stopped ? trace::RunStatus::Stopped : trace::RunStatus::Failed, error.what()});
    }
  }
  return to;
}

TrainingRate LiveRun::rate() const {
  TrainingRate rate = rate_;
  rate.tokens_per_second = run_->status().tokens_per_second;
  return rate;
}

frame::RecorderStatus LiveRun::recorder() const {
  const record::WriterStats stats = run_->recorder_stats();
  return {stats.path,    stats.bytes_on_disk, stats.last_committed_step, stats.frames_lost, commit_seconds_,
          stats.failure, stats.note};
}

std::vector<frame::PresetCard> preset_cards(const std::string& device) {
  const bool on_gpu = device == "cuda" || (device == "auto" && train::cuda_answer().available);
  std::vector<frame::PresetCard> cards;
  for (const experiments::Preset& preset : experiments::presets()) {
    const experiments::Experiment e = experiments::load_preset(preset.name, on_gpu ? "gpu" : "cpu");
    cards.push_back({preset.name, preset.title, preset.text,
                     fmt::format("{} profile: {} layers, width {}, {} steps", on_gpu ? "GPU" : "CPU",
                                 e.model.layers, e.model.width, viz::format_count(e.train.steps))});
  }
  return cards;
}

}  // namespace sparsescope::app
