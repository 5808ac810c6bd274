#include "engine/train/checkpoint_keeper.h"

#include <algorithm>
#include <filesystem>

namespace sparsescope::train {
namespace {

constexpr std::size_t kScheduledKept = 2;

}  // namespace

SavedCheckpoint CheckpointKeeper::save(const TrainingState& state, const data::PreparedData& data,
                                       Kind kind) {
  const SavedCheckpoint saved = save_checkpoint(stem_, state, data, run_uuid_);
  // One step has one file: asked for or final, it is no longer the schedule's to remove.
  std::erase(scheduled_, saved.path);
  if (kind == Kind::Scheduled) scheduled_.push_back(saved.path);
  while (scheduled_.size() > kScheduledKept) {
    std::error_code ignored;  // a checkpoint that somebody moved away is gone all the same
    std::filesystem::remove(scheduled_.front(), ignored);
    scheduled_.pop_front();
  }
  return saved;
}

}  // namespace sparsescope::train
