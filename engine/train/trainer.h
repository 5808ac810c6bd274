// The trainer as the application sees it: no tensor, no torch. It trains, obeys commands between steps and
// sends frames.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/trace/command.h"
#include "engine/trace/frame.h"

namespace sparsescope::train {

enum class Device { Auto, Cpu, Cuda };

// How much of a recording lies on the disk. frames 0: nothing yet.
struct RecordedSoFar {
  std::uint64_t bytes = 0, frames = 0, step = 0;  // step: of the last of these frames
};

// Whether Device::Cuda can work here, and in words why not.
struct CudaAnswer {
  bool available = false;
  std::string name;    // "NVIDIA H200"
  std::string reason;  // empty when available
};
CudaAnswer cuda_answer();
// Auto becomes Cuda where it works, else Cpu. Throws Error (Failed) for Cuda where it does not.
Device resolve_device(Device device);

struct RunRequest {
  experiments::Experiment experiment;  // complete: profile, --set, --steps and --seed applied
  std::vector<std::string> corpus;     // files, folders, globs or one name; empty: experiment.data.corpus
  Device device = Device::Auto;
  std::string resume_checkpoint;  // path of a .safetensors file, or empty
  std::string checkpoint_stem;    // "<folder>/<name>": writes <stem>.step-000000123.safetensors; empty: none
  bool start_paused = false;
  // Asked before a probe is recorded; any thread. Empty: nobody records, or recording.budget has to rely on
  // estimates.
  std::function<RecordedSoFar()> recorded;
};

struct Progress {        // of something long: preparing the corpus, an evaluation
  std::string text;      // "training tokenizer"
  double fraction = -1;  // 0..1, or negative when unknown
};

// How long an evaluation of the needle at one multiple of the training context takes.
struct EvaluationEstimate {
  int context_multiple = 1;
  double seconds = 0;
  bool is_measured = false;  // from an earlier evaluation of it; else scaled from what is known
};

struct Status {
  enum class State { Preparing, Training, Paused, Evaluating, Finished, Stopped, Failed };
  State state = State::Preparing;
  std::string message;  // Failed and Paused: why, one sentence
  Progress progress;    // Preparing, Evaluating
  std::uint64_t step = 0, planned_steps = 0, pause_at = 0;
  double loss_nats = 0;  // training cross-entropy of the last step
  double tokens_per_second = 0, seconds_left = 0;
  double steps_per_second = 0;  // as they come, pace and probes included, evaluations and pauses left out
  std::vector<EvaluationEstimate> evaluations;  // what the run can evaluate, ascending
  double held_out_seconds = 0;                  // of a validation loss, which EvaluateNow begins with
  double watching_percent = 0;                  // of the training time; NaN before it is known
  bool is_watching_measured = false;            // else estimated
  double probe_budget_percent = 0;              // 0: none
  std::string notice;           // something to say once, as at the start: which checkpoint was taken instead
  bool has_thresholds = false;  // a SPaRK model: the next two have a meaning
  double mean_theta = 0, mean_direct_density = 0;  // over layers
  std::string device;                              // "CPU, 2 threads", "NVIDIA H200"
  std::vector<trace::Control> controls;            // with their present values
};

class Trainer {
 public:
  // Validates the request; long work starts in run(). `sink` outlives the trainer and is called from run()'s
  // thread.
  Trainer(RunRequest request, trace::FrameSink& sink);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Prepares, trains, evaluates; returns when finished, stopped or failed, after the sink saw on_end.
  // A failure before the schema is thrown as Error and the sink sees nothing.
  trace::RunEnd run();
  // Any thread. Applied between steps.
  void post(trace::Command command);
  // Any thread.
  Status status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sparsescope::train
