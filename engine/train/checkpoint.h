// What a checkpoint holds and how it is put back: parameters, optimizer, data order, counters, live scalars,
// and where it all came from. The file layout is safetensors.h.
#pragma once

#include <cstdint>
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

struct SavedCheckpoint {
  std::string path, name;  // name: the path without folders
  std::uint64_t bytes = 0;
  std::string sha256;
};
// Writes <stem>.step-000000123.safetensors. Throws Error when the file cannot be written; the state is
// unharmed.
SavedCheckpoint save_checkpoint(const std::string& stem, const TrainingState& state,
                                const data::PreparedData& data, const std::string& run_uuid);

// Puts a checkpoint into a freshly built state. Throws Error (Refused) when model, tokenizer or optimizer do
// not fit.
void restore_checkpoint(TrainingState& state, const Checkpoint& checkpoint, const data::PreparedData& data);

// Why the resumed run will not repeat the original bit for bit: "threads: 4 there, 2 here". Empty: it will.
std::vector<std::string> differences(const TrainingState& state, const Checkpoint& checkpoint,
                                     const data::PreparedData& data);

}  // namespace sparsescope::train
