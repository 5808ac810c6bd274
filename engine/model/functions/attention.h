// Causal attention on packed qkv, differentiable.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/attention/attention_op.h"

namespace sparsescope::model {

// qkv [B,T,3C] bf16 -> [B,T,C] bf16. `qkv` is used up: nobody else may read it.
at::Tensor attention(const at::Tensor& qkv, const kernels::AttentionForm& form);

}  // namespace sparsescope::model
