#include "app/training_run.h"

#include <fmt/format.h>

#include <cmath>

namespace sparsescope::app {

TrainingRun::TrainingRun(TrainingRunOptions options) {
  std::vector<trace::FrameSink*> sinks;
  // The recorder first: what it refuses nobody has seen.
  if (!options.recorder.path.empty()) {
    recorder_ = std::make_unique<record::RecordingWriter>(options.recorder);
    sinks.push_back(recorder_.get());
    options.request.recorded = [recorder = recorder_.get()] {
      const record::WriterStats stats = recorder->stats();
      return train::RecordedSoFar{stats.bytes_on_disk, stats.frames_committed, stats.last_committed_step};
    };
  }
  if (options.screen != nullptr) sinks.push_back(options.screen);
  fan_out_ = std::make_unique<trace::FanOut>(std::move(sinks));
  trainer_ = std::make_unique<train::Trainer>(std::move(options.request), *fan_out_);
  thread_ = std::thread([this] {
    try {
      end_ = trainer_->run();
    } catch (...) {
      failure_ = std::current_exception();
    }
    is_finished_ = true;
  });
}

TrainingRun::~TrainingRun() {
  if (thread_.joinable()) {
    trainer_->post(trace::Stop{});
    thread_.join();
  }
}

record::WriterStats TrainingRun::recorder_stats() const {
  return recorder_ ? recorder_->stats() : record::WriterStats{};
}

trace::RunEnd TrainingRun::wait() {
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  if (recorder_) recorder_->wait_closed();
  return end_;
}

std::string live_line(const train::Status& status) {
  using State = train::Status::State;
  std::string progress = status.progress.text;
  if (status.progress.fraction >= 0) progress += fmt::format(" {:.0f} %", 100 * status.progress.fraction);
  if (status.state == State::Preparing) return progress;
  std::string line = fmt::format("step {}/{}", status.step, status.planned_steps);
  if (status.step > 0) {
    line += fmt::format("  loss {:.3f} nats", status.loss_nats);
    line += fmt::format("  {:.0f} tok/s", status.tokens_per_second);
    if (std::isfinite(status.mean_theta) && status.has_thresholds) {
      line +=
          fmt::format("  theta {:.3f}  direct {:.1f} %", status.mean_theta, 100 * status.mean_direct_density);
    }
  }
  if (status.state == State::Evaluating) return line + "  " + progress;
  if (status.state == State::Paused)
    return line + "  paused" + (status.message.empty() ? "" : ": " + status.message);
  if (status.seconds_left > 0) {
    const auto seconds = static_cast<long long>(std::lround(status.seconds_left));
    line += fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
  }
  return line;
}

}  // namespace sparsescope::app
