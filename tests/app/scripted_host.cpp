// The synthetic run, its commands, and recordings opened as the program opens them.
#include "tests/app/scripted_host.h"

#include "app/export.h"
#include "app/opened_recording.h"
#include "app/sidecar.h"
#include "engine/trace/error.h"

namespace sparsescope::test {
namespace {

trace::SyntheticOptions options_of(std::uint64_t frames) {
  trace::SyntheticOptions options;
  options.frames = frames;
  options.probe_every = 50;
  options.declared_ids = 16;
  options.positions = 32;
  options.pooled = 8;
  return options;
}

}  // namespace

ScriptedTrainer::ScriptedTrainer(viz::Timeline& timeline, const std::string& recording, std::uint64_t frames)
    : source_(options_of(frames)),
      mailbox_(std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest)),
      path_(recording) {
  std::vector<trace::FrameSink*> sinks = {mailbox_.get()};
  if (!recording.empty()) {
    record::WriterOptions options;
    options.path = recording;
    options.free_bytes_at_start = 1 << 20;
    writer_ = std::make_unique<record::RecordingWriter>(options);
    sinks.push_back(writer_.get());
  }
  fan_out_ = std::make_unique<trace::FanOut>(sinks);
  viz::Feed feed;
  feed.mailbox = mailbox_;
  feed.name = "scripted";
  run_id_ = timeline.add_run(std::move(feed)).id();
  status_.state = frame::TrainerStatus::State::Training;
  status_.planned_steps = frames;
  status_.tokens_per_second = 12000;
  status_.steps_per_second = 60;
  status_.device = "scripted";
  // The controls that the trainer of a SPaRK run registers.
  status_.controls = {
      {"pace", 0, 0, 1000, false, true, "steps/s", "Most steps per second."},
      {"sparsity_weight", 0.02, 0, 10, false, true, "1", "Weight of the mean soft gate."},
      {"learning_rate_scale", 1, 0, 100, false, true, "x", "Multiplies the scheduled learning rate."},
      {"threshold_min", -1000, -1000, 1000, false, false, "1", "Thresholds are held at or above this value."},
      {"threshold_freeze", 0, 0, 1, true, false, "1", "Thresholds keep their values."}};
  fan_out_->on_schema(source_.schema());
}

void ScriptedTrainer::advance(int rows) {
  for (int i = 0; i < rows && status_.state == frame::TrainerStatus::State::Training; ++i) {
    if (next_ == source_.frames()) return end(trace::RunStatus::Finished);
    const trace::FramePtr frame = source_.frame(next_++);
    status_.step = frame->step;
    status_.loss_nats = 4;
    fan_out_->on_frame(frame);
    if (status_.pause_at != 0 && frame->step >= status_.pause_at) {
      status_.state = frame::TrainerStatus::State::Paused;
      status_.pause_at = 0;
    }
  }
}

frame::RecorderStatus ScriptedTrainer::recorder() const {
  if (!recorder_failure.empty()) return {path_, 0, 0, 0, 0.5, recorder_failure};
  if (!writer_) return {};
  const record::WriterStats stats = writer_->stats();
  return {path_, stats.bytes_on_disk, stats.last_committed_step, stats.frames_lost, 0.5, stats.failure};
}

void ScriptedTrainer::post(const trace::Command& command) {
  using S = frame::TrainerStatus::State;
  if (std::holds_alternative<trace::Pause>(command)) status_.state = S::Paused;
  if (std::holds_alternative<trace::Resume>(command)) status_.state = S::Training;
  if (const auto* at = std::get_if<trace::PauseAt>(&command)) status_.pause_at = at->step;
  if (const auto* set = std::get_if<trace::SetControl>(&command)) {
    for (trace::Control& control : status_.controls) {
      if (control.name == set->name) control.value = set->value;
    }
  }
  posted.push_back(command);
  if (std::holds_alternative<trace::Stop>(command)) end(trace::RunStatus::Stopped);
}

void ScriptedTrainer::end(trace::RunStatus status) {
  if (status_.is_over()) return;
  status_.state = status == trace::RunStatus::Finished ? frame::TrainerStatus::State::Finished
                                                       : frame::TrainerStatus::State::Stopped;
  fan_out_->on_end({status, ""});
}

record::WriterStats ScriptedTrainer::close() {
  end(trace::RunStatus::Stopped);
  return writer_ ? writer_->wait_closed() : record::WriterStats{};
}

std::vector<frame::PresetCard> ScriptedHost::presets() const {
  return {{"spark-collapse", "SPaRK, surrogate estimator", "Thresholds fall and density rises.", "4 layers"},
          {"dense-alibi", "Dense attention", "The baseline.", "4 layers"}};
}

void ScriptedHost::start_training(const std::string& preset) {
  if (preset != "spark-collapse" && preset != "dense-alibi")
    throw Error("there is no preset '" + preset + "'");
  scripted = std::make_shared<ScriptedTrainer>(timeline_, recording, frames);
}

void ScriptedHost::open_recording(const std::string& path) {
  notes_beside = path;
  timeline_.add_run(app::feed_of_recording(path));
}

std::vector<std::string> ScriptedHost::export_view(const frame::ExportRequest& request) {
  return app::export_view(request, {timeline_, "scripted.h5"});
}

frame::LoadedAnnotations ScriptedHost::load_annotations(const viz::Run& run) {
  const std::string& beside = notes_beside.empty() ? recording : notes_beside;
  return beside.empty() ? frame::LoadedAnnotations{} : app::load_sidecar(beside, run.uuid());
}

void ScriptedHost::save_annotations(const viz::Run& run, const viz::Annotations& annotations) {
  if (!no_notes.empty()) throw Error(no_notes);
  const std::string& beside = notes_beside.empty() ? recording : notes_beside;
  if (!beside.empty()) app::save_sidecar(beside, run.uuid(), annotations);
}

std::string ScriptedHost::export_text(const frame::ExportRequest& request) {
  return app::export_bytes(request, request.formats.front(), {timeline_, "scripted.h5"});
}

}  // namespace sparsescope::test
