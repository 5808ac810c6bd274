// From a damaged checkpoint back to a whole one of the same run.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "engine/trace/error.h"
#include "engine/train/checkpoint.h"
#include "engine/train/checkpoint_files.h"

namespace sparsescope::train {

FoundCheckpoint find_checkpoint(const std::string& path) {
  std::string damage;
  try {
    return {read_checkpoint(path), ""};
  } catch (const Error& error) {
    const std::optional<CheckpointFile> asked = checkpoint_file(path);
    std::error_code failure;
    const bool is_there = std::filesystem::is_regular_file(path, failure);
    if (error.code() != ExitCode::Refused || !asked || !is_there) throw;
    damage = error.what();
  }
  const CheckpointFile damaged = *checkpoint_file(path);
  std::vector<CheckpointFile> older = checkpoints_of(damaged.stem);
  std::erase_if(older, [&](const CheckpointFile& file) { return file.step >= damaged.step; });
  for (const CheckpointFile& candidate : older) {
    try {
      FoundCheckpoint found{read_checkpoint(candidate.path), ""};
      found.notice = fmt::format("{}; resuming from {} instead, the newest whole one before it", damage,
                                 std::filesystem::path(candidate.path).filename().string());
      return found;
    } catch (const Error&) {
      // Damaged as well: further back.
    }
  }
  throw Error(
      fmt::format("{}; {} beside it can be resumed instead", damage,
                  older.empty()       ? "no earlier checkpoint of that run"
                  : older.size() == 1 ? "nor is the earlier one of that run whole, so none"
                                      : fmt::format("none of the {} earlier ones of that run is whole, so "
                                                    "none",
                                                    older.size())),
      ExitCode::Refused);
}

}  // namespace sparsescope::train
