// What a checkpoint holds and how it is put back: parameters, optimizer, data order, counters, live scalars,
// and where it all came from. The file layout is safetensors.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/data/prepare.h"
#include "engine/train/safetensors.h"
#include "engine/train/training_state.h"

namespace sparsescope::train {

// A checkpoint on disk, its digest checked and its metadata read; tensors not yet matched with a model.
struct Checkpoint {
  TensorFile file;
  std::uint64_t step = 0;
  std::string run_uuid;
  std::string experiment_json;
  std::string sha256;
};

// Throws Error (Refused): missing, damaged, or no checkpoint of this program.
Checkpoint read_checkpoint(const std::string& path);

// `path`, or when it is damaged the newest whole one of an earlier step beside it, of the same run by its
// name. Throws Error as above, and when none is whole.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string notice;  // empty, or one sentence: which was taken instead and why
};
FoundCheckpoint find_checkpoint(const std::string& path);

// A state on the host, apart from the training that goes on.
struct CheckpointSnapshot {
  std::uint64_t step = 0;
  std::map<std::string, std::string> metadata;
  std::vector<at::Tensor> values;  // own the bytes of `tensors`
  std::vector<NamedTensor> tensors;
};
CheckpointSnapshot take_snapshot(const TrainingState& state, const data::PreparedData& data,
                                 const std::string& run_uuid);

struct SavedCheckpoint {
  std::string path, name;  // name: the path without folders
  std::uint64_t bytes = 0;
  std::string sha256;
};
// Writes <stem>.step-000000123.safetensors: whole or not at all. Any thread. Throws Error when it cannot be
// written.
SavedCheckpoint write_snapshot(const std::string& stem, const CheckpointSnapshot& snapshot);

// Puts a checkpoint into a freshly built state. Throws Error (Refused) when model, tokenizer or optimizer do
// not fit.
void restore_checkpoint(TrainingState& state, const Checkpoint& checkpoint, const data::PreparedData& data);

// Why the resumed run will not repeat the original bit for bit: "threads: 4 there, 2 here", only what can
// change a bit. Empty: it will.
std::vector<std::string> differences(const TrainingState& state, const Checkpoint& checkpoint,
                                     const data::PreparedData& data);

}  // namespace sparsescope::train
