// What stands behind the window: the runs it shows, the run it trains, the files it remembers. No drawing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/desktop_options.h"
#include "app/desktop_settings.h"
#include "app/kept_sessions.h"
#include "app/recovering.h"
#include "app/reveal.h"
#include "app/sidecar.h"
#include "viz/frame/host.h"
#include "viz/model/timeline.h"

namespace sparsescope::app {

class LiveRun;  // app/desktop_training.h; absent in the replay-only program

class DesktopSession final : public frame::Host {
 public:
  enum class Remember { Yes, No };  // whether settings are read and written; pictures leave them alone
  DesktopSession(DesktopOptions options, viz::Timeline& timeline, Remember remember);
  ~DesktopSession() override;

  // Starts what the command line asked for; a sentence to say, or nothing. Throws Error.
  std::string start();

  std::vector<frame::PresetCard> presets() const override;
  std::string why_no_training() const override;
  void start_training(const std::string& preset) override;
  viz::NewRunForm new_run_form(const std::string& preset, const std::string& device) override;
  void check_form(viz::NewRunForm& form) override;
  void start_run(const viz::NewRunForm& form) override;
  void save_experiment(const viz::NewRunForm& form, const std::string& path) override;
  frame::TrainerLink* trainer() override;
  std::vector<frame::RecentFile> recent_files() const override;
  std::vector<std::string> demo_recordings() const override;
  std::string recordings_folder() const override;
  std::string open_recording(const std::string& path) override;
  void reveal_file(const std::string& path) override { app::reveal_file(path); }
  void begin_recovery(const std::string& path) override { recovering_.begin(path); }
  std::optional<frame::Recovery> recovery() const override { return recovering_.now(); }
  void cancel_recovery() override { recovering_.cancel(); }
  std::string figures_folder() const override;
  std::vector<std::string> export_view(const frame::ExportRequest& request) override;
  std::string export_text(const frame::ExportRequest& request) override;
  frame::LoadedAnnotations load_annotations(const viz::Run& run) override;
  std::string save_annotations(const viz::Run& run, viz::Annotations& annotations) override;
  void toggle_full_screen() override;
  void quit(frame::Leave leave) override { leave_ = leave; }
  std::string device_words() const override;
  std::string settings_text() const override { return settings_text_; }
  std::string keep_settings(const std::string& text) override;
  std::string memory_text() const override { return memory_text_; }
  std::string keep_memory(const std::string& text) override;
  std::string keep_session(const frame::Session& session) override { return sessions_->keep(session); }
  std::optional<frame::Session> lost_session() const override { return sessions_->lost(); }
  void forget_lost_session() override { sessions_->forget_lost(); }
  std::vector<frame::KeptLayout> layouts() const override;
  std::string keep_layout(const frame::KeptLayout& layout) override;

  const std::string& settings_note() const { return settings_note_; }
  const std::optional<frame::Leave>& leaving() const { return leave_; }
  void on_full_screen(std::function<void()> toggle) { toggle_full_screen_ = std::move(toggle); }
  LiveRun* live_run() { return live_.get(); }

 private:
#ifdef SPARSESCOPE_WITH_TRAINING
  void start(RunArguments arguments);
#endif
  void remember_file(const std::string& path);
  bool is_open(const std::string& absolute) const;
  std::string open_folder(const std::string& absolute);
  bool is_recorded_here(const std::string& path) const;
  std::string recording_path(const viz::Run& run) const;            // empty: it is not recorded
  std::string recording_of(const viz::Selection& selection) const;  // file name of the run shown

  DesktopOptions options_;
  viz::Timeline& timeline_;
  Remember remember_;
  std::string settings_folder_, settings_note_;
  std::unique_ptr<KeptSessions> sessions_;
  std::string settings_text_;        // empty: there are none, or they are ignored
  std::string memory_text_;          // of the window; the same
  RecordingSettings recording_;      // what they say about recording
  std::vector<std::string> recent_;  // paths, newest first
  std::vector<std::pair<std::string, std::uint32_t>> open_files_;      // path, run id
  std::map<std::string, Sidecar> sidecars_;                            // by recording
  std::vector<std::pair<std::string, std::uint32_t>> recorded_files_;  // of runs trained here
  Recovering recovering_;
  std::shared_ptr<LiveRun> live_;
  std::optional<frame::Leave> leave_;
  std::function<void()> toggle_full_screen_;
};

}  // namespace sparsescope::app
