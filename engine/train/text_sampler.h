// Lets the model write between two steps. It draws from a stream of its own and touches nothing that training
// reads: with and without it the losses are the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/data/task.h"
#include "engine/data/tokenizer.h"
#include "engine/train/text_samples.h"
#include "engine/train/training_state.h"

namespace sparsescope::train {

struct SampleRequest {
  std::string prompt;
  std::int64_t tokens = 64;
  double temperature = 1;
  std::uint64_t seed = 0;
};

// Why such a text cannot be written, one sentence; nothing when it can.
std::optional<std::string> sample_obstacle(const SampleRequest& request);

// The model continues the prompt, or begins a document; it sees the last model.context tokens. Cancelled by
// `task` it returns what is there. Throws Error when the model's logits are not finite. Precondition: no
// obstacle.
TextSample sample_text(const TrainingState& state, const data::Tokenizer& tokenizer,
                       const SampleRequest& request, const data::Task& task);

}  // namespace sparsescope::train
