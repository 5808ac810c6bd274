// What a run will need before it is started: parameters, memory, the recording's size, time. Counted from the
// experiment; no torch, no corpus.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/experiments/experiment.h"
#include "engine/train/trainer.h"

namespace sparsescope::train {

struct RunEstimate {
  std::int64_t parameters = 0;    // exact for a corpus that fills the vocabulary
  double memory_bytes = 0;        // CPU: of the process; CUDA: of the device, at the peak of a step
  double file_bytes = 0;          // of the recording; checkpoints are apart
  double checkpoint_bytes = 0;    // of one
  std::optional<double> seconds;  // training alone; unknown without a rate
};
// Memory is the program (420 MB on a CPU, 700 MB of context and workspaces on a GPU), 16 bytes a parameter
// (weight, gradient, two moments), activations (cost_model.h) and on a CPU the text as ids. The file is the
// sum over the channels of rows by cadence: whole chunks where they are stored as they are, and what such
// rows were seen to compress to where they are compressed. Within a factor of 1.5 of what CPU runs take. A
// GPU's memory is counted the same way and lies above weights, gradients, moments and three copies of the
// logits (16 P + 12 B T V bytes), and below them with 20 vectors a token and ten squares a head of every
// layer; the allocator's reserve comes on top. Precondition: validate(experiment). `device` is not Auto.
RunEstimate estimate_run(const experiments::Experiment& experiment, Device device,
                         std::optional<double> tokens_per_second = std::nullopt);

}  // namespace sparsescope::train
