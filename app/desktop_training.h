// A training run behind the window: trainer, recorder and screen mailbox, as the frame's TrainerLink.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/new_run.h"
#include "app/run_arguments.h"
#include "app/training_run.h"
#include "viz/frame/host.h"
#include "viz/model/timeline.h"

namespace sparsescope::app {

class LiveRun final : public frame::TrainerLink {
 public:
  // Starts the run, its recording and its row on the timeline. Throws Error for what cannot start.
  static std::shared_ptr<LiveRun> start(const RunArguments& arguments, viz::Timeline& timeline);

  frame::TrainerStatus status() const override;
  frame::RecorderStatus recorder() const override;
  void post(const trace::Command& command) override { run_->post(command); }
  std::uint32_t run_id() const override { return run_id_; }
  // How fast it trains or trained.
  TrainingRate rate() const;

  TrainingRun& run() { return *run_; }
  // Where the recording lies now; empty: nothing is recorded.
  std::string recording_path() const { return run_->recorder_stats().path; }

 private:
  std::shared_ptr<trace::Mailbox> mailbox_;  // outlives the run that feeds it
  std::shared_ptr<TrainingRun> run_;
  std::uint32_t run_id_ = 0;
  std::string profile_;  // "CPU profile": which values of the preset are in force
  double commit_seconds_ = 0;
  TrainingRate rate_;               // all but the rate itself
  mutable bool has_ended_ = false;  // its end was told to the screen
};

// The presets with the profile that `device` ("auto", "cpu", "cuda") gives them, for the start page.
std::vector<frame::PresetCard> preset_cards(const std::string& device);

}  // namespace sparsescope::app
