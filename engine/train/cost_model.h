// Sizes and arithmetic of a model, counted from its experiment alone: what estimates are made of before and
// beside a run. No torch.
#pragma once

#include <cstdint>

#include "engine/experiments/experiment.h"

namespace sparsescope::train {

// Trainable numbers of the model, exactly.
std::int64_t parameter_count(const experiments::ModelConfig& model, std::int64_t vocabulary);

// Multiplications and additions of one token in a forward pass over windows of `context` tokens: matrix
// products only, attention over the whole square as it is computed.
double forward_flops_per_token(const experiments::ModelConfig& model, std::int64_t vocabulary,
                               std::int64_t context);

// Bytes of what a training step of `batch` windows keeps between forward and backward pass, in fp32, and of
// the largest intermediate results.
double activation_bytes(const experiments::ModelConfig& model, std::int64_t vocabulary, std::int64_t batch);

}  // namespace sparsescope::train
