// A study version of the forward pass: one block a head. Not used by training.
#pragma once

#include "kernels/attention/attention.h"

namespace sparsescope::kernels {

// As attention(), for D = 32 or 64, T <= 256, without ALiBi and rotary positions. Throws std::runtime_error
// for others.
void attention_by_head(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule,
                       Stream stream);

}  // namespace sparsescope::kernels
