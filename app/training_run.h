// One training run as both programs start it: the trainer on its own thread, the recorder, and whoever
// watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "engine/record/recording_writer.h"
#include "engine/trace/mailbox.h"
#include "engine/train/trainer.h"

namespace sparsescope::app {

struct TrainingRunOptions {
  train::RunRequest request;
  record::WriterOptions recorder;      // path empty: train without recording
  trace::FrameSink* screen = nullptr;  // may be null; outlives the run; must not block
};

class TrainingRun {
 public:
  // Refuses what cannot work (bad request, unusable recording path) by throwing Error, then starts training.
  explicit TrainingRun(TrainingRunOptions options);
  // Stops the run if it still goes on; the recording is closed and whole afterwards.
  ~TrainingRun();
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  void post(trace::Command command) { trainer_->post(std::move(command)); }
  train::Status status() const { return trainer_->status(); }
  // Zeros without a recorder.
  record::WriterStats recorder_stats() const;
  record::RecordingWriter* recorder() { return recorder_.get(); }
  bool is_finished() const { return is_finished_; }

  // Waits for the end and closes the recording. Throws the Error that ended the run before its schema.
  trace::RunEnd wait();

 private:
  std::unique_ptr<record::RecordingWriter> recorder_;
  std::unique_ptr<trace::FanOut> fan_out_;
  std::unique_ptr<train::Trainer> trainer_;
  std::thread thread_;
  std::atomic<bool> is_finished_ = false;
  trace::RunEnd end_;
  std::exception_ptr failure_;
};

// "step 120/300  loss 4.812  14,200 tok/s  theta 1.91  direct 3.1 %  0:21 left": the same words everywhere.
std::string live_line(const train::Status& status);

}  // namespace sparsescope::app
