// Where a run's checkpoints go and which of them stay: the last two scheduled ones, the final one, those a
// person asked for.
#pragma once

#include <deque>
#include <string>

#include "engine/train/checkpoint.h"

namespace sparsescope::train {

class CheckpointKeeper {
 public:
  enum class Kind { Scheduled, Asked, Final };

  // `stem` empty: the run keeps no checkpoints.
  CheckpointKeeper(std::string stem, std::string run_uuid)
      : stem_(std::move(stem)), run_uuid_(std::move(run_uuid)) {}

  bool is_on() const { return !stem_.empty(); }
  // Writes one, then removes what need not stay. Throws Error when it cannot be written.
  SavedCheckpoint save(const TrainingState& state, const data::PreparedData& data, Kind kind);

 private:
  std::string stem_, run_uuid_;
  std::deque<std::string> scheduled_;  // paths that may go, oldest first
};

}  // namespace sparsescope::train
