// The course of a run: steps, live commands between them, probes, text samples and evaluations when due,
// checkpoints, frames to the sink. What a step computes is training_state.h; what happens before the first
// one is run_start.h; how often probes may look is watching.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/probes/prober.h"
#include "engine/train/checkpoint_keeper.h"
#include "engine/train/evaluation_times.h"
#include "engine/train/evaluations.h"
#include "engine/train/inbox.h"
#include "engine/train/outbox.h"
#include "engine/train/recording_budget.h"
#include "engine/train/status_board.h"
#include "engine/train/text_sampler.h"
#include "engine/train/watching.h"

namespace sparsescope::train {

// What a run consists of; everything outlives the loop.
struct RunParts {
  TrainingState& state;
  const data::PreparedData& data;
  const FixedTexts& texts;
  trace::SchemaPtr schema;
  trace::FrameSink& sink;  // has seen the schema
  Inbox& inbox;
  StatusBoard& board;
  CheckpointKeeper& checkpoints;
  const Checkpoint* parent = nullptr;
  std::string notice;                       // something to record at the start; or empty
  std::function<RecordedSoFar()> recorded;  // as in RunRequest
  enum class Start { Running, Paused } start = Start::Running;
};

class TrainingLoop {
 public:
  explicit TrainingLoop(const RunParts& parts);

  // Until the last step, Stop, or an exception; the sink has seen every frame but not the end.
  trace::RunStatus run();
  // Sends what is waiting and a last event saying how the run ended.
  void send_end(trace::RunStatus status, const std::string& message);

 private:
  enum class Mode { Training, Paused };
  enum class What { HeldOutLoss, Needle };

  bool is_finished() const { return state_.counters().steps >= planned_steps_; }
  std::uint64_t step() const { return state_.counters().steps; }

  void train_step();
  void report_non_finite(const StepReport& report);
  void set_step_channels(const StepReport& report, double probe_ms);
  void evaluate_if_due();
  // Whether it was not cancelled.
  bool evaluate(What what, const std::vector<std::int64_t>& multiples);
  // Runs `work` with words for its failures: out of memory and errors become a warning, Stop and
  // CancelEvaluation end it. Whether it came to its end.
  // `about`: fields that a warning of it carries besides.
  bool attempt(const char* what, const std::function<void(const data::Task&)>& work,
               const nlohmann::ordered_json& about = nlohmann::ordered_json::object());
  void save_checkpoint(CheckpointKeeper::Kind kind);
  void report_checkpoints();
  void send_frame();

  // Watching (training_watch.cpp).
  enum class Edges { Without, With };
  std::vector<std::string_view> probe_channels(Edges edges) const;
  void prepare_probes();
  // Queues the probe that is due at this step; what is queued next may change the model.
  void begin_probe_if_due();
  // Puts what it saw into the frame. `shadow_ms`: how long the device still works on something else; what the
  // host does uses it up. Milliseconds by which the probe held training up; 0 when none was begun.
  double finish_probe(double& shadow_ms);
  // Now, whatever is due; records those of `channels` that the run has.
  void probe_at_once(const std::vector<std::string_view>& channels);
  void announce_recording_budget();
  void record_sample(const probes::Measured& measured);
  void sample_if_due();
  void write_text(const SampleRequest& request, TextSampleLog::Reason reason);
  void inject_needle(double depth);
  void generate_text(const trace::GenerateText& command);
  void record_edges();

  // Commands; each is recorded with old and new value.
  void obey(const trace::Command& command);
  void set_control(const trace::SetControl& command);
  void set_mode(Mode mode, const std::string& message, const char* command);
  void set_pause_at(std::uint64_t step);
  void refuse(const std::string& words);
  void record(const char* command, const nlohmann::ordered_json& old_value,
              const nlohmann::ordered_json& new_value);
  // Whether nothing but the next step can follow this one, so that it may begin at once.
  bool may_look_ahead() const;
  // Waits for the pace or, paused, for a command. False: look at the commands again before training.
  bool may_step();

  void show_mode();
  void show_step(const StepReport& report);
  void show_costs();
  double seconds() const;  // since the loop began

  // What a person asked for.
  struct Course {
    Mode mode = Mode::Training;
    std::string message;             // why it is paused
    std::uint64_t single_steps = 0;  // asked for while paused, still to make
    std::uint64_t pause_at = 0;
    bool is_stopped = false;
  };
  // When what was done last.
  struct Done {
    std::uint64_t first_step = 0;
    std::uint64_t held_out_loss = ~std::uint64_t{0}, needle = ~std::uint64_t{0};  // steps
    Inbox::Clock::time_point step_start{};
    double evaluation_ms = 0;  // since the last step
    double busy_seconds = 0;   // working, not paused or waiting
    double steps_per_second = 0;
    double aside_ms = 0;          // since the last step: evaluations, samples, what was asked for
    bool was_interrupted = true;  // no step or a pause before the next one: no rate to be had
  };

  RunParts parts_;
  TrainingState& state_;
  Evaluations evaluations_;
  Outbox outbox_;
  const std::uint64_t planned_steps_;
  const Inbox::Clock::time_point start_ = Inbox::Clock::now();
  Watching watching_;
  RecordingBudget recording_;
  EvaluationTimes times_;
  bool has_probe_edges_ = false;          // the probe that was begun
  probes::Prober prober_;                 // its texts with the needle that was injected
  std::vector<std::int32_t> probe_text_;  // sequence 0 without it
  std::optional<double> needle_depth_;
  std::uint64_t needles_injected_ = 0;
  Course course_;
  Done done_;
};

}  // namespace sparsescope::train
