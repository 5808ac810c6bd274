// Where a run's checkpoints go and which of them stay: the last two scheduled ones, the final one, those a
// person asked for. The state is copied between two steps; a worker writes it while training goes on.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/train/checkpoint.h"

namespace sparsescope::train {

class CheckpointKeeper {
 public:
  enum class Kind { Scheduled, Asked, Final };
  // One that was written, or why not.
  struct Outcome {
    Kind kind = Kind::Scheduled;
    std::uint64_t step = 0;  // of its state
    SavedCheckpoint saved;
    std::string failure;  // empty: it stands on the disk
  };

  // `stem` empty: the run keeps no checkpoints. `on_outcome` is called on the worker.
  CheckpointKeeper(std::string stem, std::string run_uuid, std::function<void()> on_outcome = {});
  ~CheckpointKeeper();  // finishes what was begun
  CheckpointKeeper(const CheckpointKeeper&) = delete;
  CheckpointKeeper& operator=(const CheckpointKeeper&) = delete;

  bool is_on() const { return !stem_.empty(); }
  // Copies the state and returns; waits while an earlier copy has not even begun to be written. What need not
  // stay is removed when the new one stands.
  void save(const TrainingState& state, const data::PreparedData& data, Kind kind);
  // Until everything is written.
  void wait();
  // In order; each once.
  std::vector<Outcome> take_outcomes();

 private:
  struct Work {
    CheckpointSnapshot snapshot;
    Kind kind;
  };
  void run();
  Outcome write(const Work& work);

  const std::string stem_, run_uuid_;
  const std::function<void()> on_outcome_;
  std::deque<std::string> scheduled_;  // paths that may go, oldest first; the worker's

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool is_writing_ = false, is_ending_ = false;
  std::vector<Outcome> outcomes_;
  std::thread worker_;
};

}  // namespace sparsescope::train
