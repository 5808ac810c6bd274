// The synthetic run, its commands, and recordings opened as the program opens them.
#include "tests/app/scripted_host.h"

#include "app/desktop_settings.h"
#include "app/export.h"
#include "app/opened_recording.h"
#include "app/sidecar.h"
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"
#include "viz/model/commands.h"

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
  status_.evaluation_estimates = {{1, 3, true}, {4, 12, true}, {16, 130, false}};
  status_.held_out_seconds = 2;
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
  return {path_,         stats.bytes_on_disk, stats.last_committed_step, stats.frames_lost, 0.5,
          stats.failure, recorder_note};
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

void ScriptedTrainer::evaluate(double fraction) {
  status_.state = frame::TrainerStatus::State::Evaluating;
  status_.progress_text = "needle at 4x";
  status_.progress_fraction = fraction;
}

void ScriptedTrainer::fail(const std::string& message) {
  status_.state = frame::TrainerStatus::State::Failed;
  status_.message = message;
  fan_out_->on_end({trace::RunStatus::Failed, message});
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

viz::NewRunForm ScriptedHost::new_run_form(const std::string& preset, const std::string& device) {
  if (!no_form.empty()) throw Error(no_form);
  using Kind = viz::FormField::Kind;
  viz::NewRunForm form;
  form.preset = preset;
  form.title = "Scripted";
  form.devices = {{"auto", "Automatic: CPU", ""}, {"cpu", "CPU", ""}, {"cuda", "GPU", "no driver answers"}};
  form.device = device.empty() ? "auto" : device;
  form.device_note = "CPU profile";
  const std::string layers = preset == "dense-alibi" ? "6" : "4";
  const auto add = [&](const char* key, const char* section, const char* unit, Kind kind,
                       const std::string& value, bool is_advanced) {
    viz::FormField field;
    field.key = key;
    const std::string name = key;
    field.label = viz::label_from_key(name.substr(name.find('.') + 1));
    field.section = section;
    field.unit = unit;
    field.help = "What " + field.label + " does, in one sentence.";
    if (kind == Kind::Integer) field.fits = "a whole number between 1 and 100000";
    field.kind = kind;
    field.is_advanced = is_advanced;
    field.value = field.preset_value = value;
    form.fields.push_back(std::move(field));
  };
  add("model.layers", "Model", "blocks", Kind::Integer, layers, false);
  add("model.mixer", "Model", "", Kind::Choice, "spark", false);
  form.fields.back().choices = {"dense", "window", "spark"};
  add("spark.fallback", "SPaRK", "", Kind::Switch, "true", false);
  add("optimizer.learning_rate", "Optimizer", "", Kind::Number, "0.002", true);
  add("data.corpus", "Data", "", Kind::Text, "headers", false);
  form.fields.back().choices = {"headers", "manuals"};
  add("train.steps", "Training", "steps", Kind::Integer, "300", false);
  add("text", "Experiment", "", Kind::LongText, "Why these values.", true);
  return form;
}

void ScriptedHost::check_form(viz::NewRunForm& form) {
  form.estimates.clear();
  for (viz::FormField& field : form.fields) {
    field.error.clear();
    if (field.kind != viz::FormField::Kind::Integer) continue;
    const std::optional<double> value = viz::number_from_text(field.value);
    if (!value || *value < 1 || *value > 100000) field.error = "This must be " + field.fits;
  }
  if (form.errors() == 0)
    form.estimates = {{"Time", "about 40 s", "at 12,000 tokens/s"},
                      {"Memory", "about 610 MiB", ""},
                      {"Recording", "about 4.2 MiB", ""}};
}

void ScriptedHost::start_run(const viz::NewRunForm& form) {
  start_training(form.preset);
  started = form;
}

void ScriptedHost::save_experiment(const viz::NewRunForm& form, const std::string& path) {
  std::string text;
  for (const viz::FormField& field : form.fields) text += field.key + " = " + field.value + "\n";
  trace::write_file(path, text);
}

std::string ScriptedHost::open_recording(const std::string& path) {
  notes_beside = path;
  timeline_.add_run(app::feed_of_recording(path));
  return "";
}

std::vector<std::string> ScriptedHost::export_view(const frame::ExportRequest& request) {
  if (!no_figures.empty()) throw Error(no_figures);
  return app::export_view(request, {timeline_, "scripted.h5"});
}

frame::LoadedAnnotations ScriptedHost::load_annotations(const viz::Run& run) {
  const std::string& beside = notes_beside.empty() ? recording : notes_beside;
  return beside.empty() ? frame::LoadedAnnotations{} : sidecar.load(beside, run.uuid());
}

std::string ScriptedHost::save_annotations(const viz::Run& run, viz::Annotations& annotations) {
  if (!no_notes.empty()) throw Error(no_notes);
  const std::string& beside = notes_beside.empty() ? recording : notes_beside;
  return beside.empty() ? "" : sidecar.save(beside, run.uuid(), annotations);
}

std::string ScriptedHost::export_text(const frame::ExportRequest& request) {
  if (!no_figures.empty()) throw Error(no_figures);
  return app::export_bytes(request, request.formats.front(), {timeline_, "scripted.h5"});
}

std::string ScriptedHost::keep_settings(const std::string& text) {
  settings = text;
  ++settings_kept;
  return "";
}

std::string ScriptedHost::keep_memory(const std::string& text) {
  if (no_memory.empty()) memory = text;
  return no_memory;
}

std::vector<frame::KeptLayout> ScriptedHost::layouts() const {
  std::vector<frame::KeptLayout> all =
      app::load_layouts(SPARSESCOPE_LAYOUTS, frame::KeptLayout::Origin::Stock);
  all.insert(all.end(), own_layouts.begin(), own_layouts.end());
  return all;
}

std::string ScriptedHost::keep_layout(const frame::KeptLayout& layout) {
  std::erase_if(own_layouts, [&](const frame::KeptLayout& own) { return own.name == layout.name; });
  own_layouts.push_back(layout);
  return "";
}

}  // namespace sparsescope::test
