// A program around the window without a trainer and without a screen: its run is synthetic and moves a fixed
// number of rows a frame, so a journey sees the same thing each time. It obeys commands as the real one does
// and records what was asked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/recovering.h"
#include "app/sidecar.h"
#include "engine/record/recording_writer.h"
#include "engine/trace/mailbox.h"
#include "engine/trace/synthetic_source.h"
#include "viz/frame/host.h"
#include "viz/model/timeline.h"

namespace sparsescope::test {

class ScriptedTrainer final : public frame::TrainerLink {
 public:
  // `recording`: path to write, or empty.
  ScriptedTrainer(viz::Timeline& timeline, const std::string& recording, std::uint64_t frames);
  // What a trainer's thread would have done since the last frame.
  void advance(int rows);

  frame::TrainerStatus status() const override { return status_; }
  frame::RecorderStatus recorder() const override;
  void post(const trace::Command& command) override;
  std::uint32_t run_id() const override { return run_id_; }
  // It evaluates, as far as that; and it goes on training.
  void evaluate(double fraction);
  void go_on() { status_.state = frame::TrainerStatus::State::Training; }
  // It ends before its first frame or later, with these words.
  void fail(const std::string& message);
  // Closes the recording; the numbers of the writer.
  record::WriterStats close();

  std::vector<trace::Command> posted;
  std::string recorder_failure;  // said instead of the writer's own
  std::string recorder_note;

 private:
  void end(trace::RunStatus status);

  trace::SyntheticSource source_;
  std::shared_ptr<trace::Mailbox> mailbox_;
  std::unique_ptr<record::RecordingWriter> writer_;
  std::unique_ptr<trace::FanOut> fan_out_;
  std::uint64_t next_ = 0;
  std::uint32_t run_id_ = 0;
  std::string path_;
  frame::TrainerStatus status_;
};

class ScriptedHost final : public frame::Host {
 public:
  explicit ScriptedHost(viz::Timeline& timeline) : timeline_(timeline) {}
  void advance(int rows) {
    if (scripted) scripted->advance(rows);
  }

  std::vector<frame::PresetCard> presets() const override;
  std::string why_no_training() const override { return no_training; }
  void start_training(const std::string& preset) override;
  viz::NewRunForm new_run_form(const std::string& preset, const std::string& device) override;
  void check_form(viz::NewRunForm& form) override;
  void start_run(const viz::NewRunForm& form) override;
  void save_experiment(const viz::NewRunForm& form, const std::string& path) override;
  frame::TrainerLink* trainer() override { return scripted.get(); }
  std::vector<frame::RecentFile> recent_files() const override { return recent; }
  std::vector<std::string> demo_recordings() const override { return demos; }
  std::string recordings_folder() const override { return "/nowhere"; }
  std::string open_recording(const std::string& path) override;
  std::string keep_session(const frame::Session& session) override {
    kept_session = session;
    return "";
  }
  std::optional<frame::Session> lost_session() const override { return lost; }
  void forget_lost_session() override { lost.reset(); }
  void reveal_file(const std::string& path) override { revealed = path; }
  void begin_recovery(const std::string& path) override { recovering_.begin(path); }
  std::optional<frame::Recovery> recovery() const override { return recovering_.now(); }
  void cancel_recovery() override { recovering_.cancel(); }
  std::string figures_folder() const override { return figures; }
  std::vector<std::string> export_view(const frame::ExportRequest& request) override;
  std::string export_text(const frame::ExportRequest& request) override;
  frame::LoadedAnnotations load_annotations(const viz::Run& run) override;
  std::string save_annotations(const viz::Run& run, viz::Annotations& annotations) override;
  void toggle_full_screen() override { ++full_screen_toggles; }
  void quit(frame::Leave how) override { leave = how; }
  std::string device_words() const override { return "scripted"; }
  std::string settings_text() const override { return settings; }
  std::string keep_settings(const std::string& text) override;
  std::string memory_text() const override { return memory; }
  std::string keep_memory(const std::string& text) override;
  std::vector<frame::KeptLayout> layouts() const override;
  std::string keep_layout(const frame::KeptLayout& layout) override;

  std::shared_ptr<ScriptedTrainer> scripted;
  std::string recording;                   // where start_training records
  std::vector<frame::RecentFile> recent;   // what the start page lists
  std::string no_training;                 // why it may not start
  std::string no_form;                     // why it may not even be described
  std::optional<viz::NewRunForm> started;  // the form that was started last
  std::string figures = "/nowhere";
  std::uint64_t frames = 3000;  // of the run
  std::string notes_beside;     // path of the recording that notes are kept beside; empty: `recording`
  app::Sidecar sidecar;
  std::string no_notes;  // why they cannot be kept
  int full_screen_toggles = 0;
  std::string revealed;
  std::vector<std::string> demos;
  std::string no_figures;  // why none can be made; empty: they can
  std::optional<frame::Session> kept_session, lost;
  std::optional<frame::Leave> leave;
  std::string settings;  // the file's text, as it was kept last
  int settings_kept = 0;
  std::string memory, no_memory;  // the file's text; why it cannot be kept
  std::vector<frame::KeptLayout> own_layouts;

 private:
  viz::Timeline& timeline_;
  app::Recovering recovering_;
};

}  // namespace sparsescope::test
