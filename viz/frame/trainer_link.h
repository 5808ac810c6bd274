// The running trainer and its recorder as the window sees them: a snapshot in words and numbers, and a way to
// ask for things. No torch, no files: the application stands behind it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/trace/command.h"

namespace sparsescope::frame {

// How long an evaluation of the needle at one multiple of the training context takes.
struct EvaluationEstimate {
  int context_multiple = 1;
  double seconds = 0;
  bool is_measured = false;  // from an earlier evaluation of it; else derived from the step time
};

struct TrainerStatus {
  enum class State { Preparing, Training, Paused, Evaluating, Finished, Stopped, Failed };
  State state = State::Preparing;
  std::string message;            // Failed and Paused: why, one sentence
  std::string progress_text;      // Preparing, Evaluating: "training tokenizer"
  double progress_fraction = -1;  // 0..1, or negative when unknown
  std::uint64_t step = 0, planned_steps = 0, pause_at = 0;
  double loss_nats = 0;
  double tokens_per_second = 0, steps_per_second = 0, seconds_left = 0;
  // What the run can evaluate, ascending; empty before the first step.
  std::vector<EvaluationEstimate> evaluation_estimates;
  double held_out_seconds = 0;  // of a validation loss, which every evaluation asked for begins with
  // Cost of watching in percent of the training time: measured where that was done, else estimated.
  double watching_percent = std::numeric_limits<double>::quiet_NaN();
  bool is_watching_measured = false;
  double probe_budget_percent = 0;       // 0: no budget
  std::string device;                    // "CPU, 2 threads"
  std::vector<trace::Control> controls;  // with their present values

  bool is_over() const {
    return state == State::Finished || state == State::Stopped || state == State::Failed;
  }
};

struct RecorderStatus {
  std::string path;  // empty: nothing is recorded
  std::uint64_t bytes_on_disk = 0, last_committed_step = 0, frames_lost = 0;
  double commit_seconds = 0;
  std::string failure;  // empty, or one sentence
  std::string note;     // empty, or one sentence on a recording that is made elsewhere than it was asked for
};

class TrainerLink {
 public:
  virtual ~TrainerLink() = default;
  virtual TrainerStatus status() const = 0;
  virtual RecorderStatus recorder() const = 0;
  virtual void post(const trace::Command& command) = 0;
  // Which run of the timeline it feeds: viz::Run::id().
  virtual std::uint32_t run_id() const = 0;
};

}  // namespace sparsescope::frame
