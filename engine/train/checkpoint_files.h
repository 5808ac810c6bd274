// Checkpoints as files of a folder: which belong to a run, which are whole. What is in one is checkpoint.h;
// no torch here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparsescope::train {

// A checkpoint's path taken apart: "<stem>.step-000000123.safetensors".
struct CheckpointFile {
  std::string path;
  std::string stem;  // with the folder
  std::uint64_t step = 0;
};
// Nothing: not the name of a checkpoint.
std::optional<CheckpointFile> checkpoint_file(const std::string& path);
// Those of the run with this stem ("<folder>/<name>"), the newest first.
std::vector<CheckpointFile> checkpoints_of(const std::string& stem);

// The newest whose digest fits and that lies before `end_step`; nothing: there is none. Reads whole files.
std::optional<CheckpointFile> newest_whole_checkpoint(const std::string& stem, std::uint64_t end_step);
// Removes all of them. Throws Error naming the first that stays.
void remove_checkpoints(const std::string& stem);

}  // namespace sparsescope::train
