// Causal attention by cuDNN: faster than own kernels at long contexts, but its gradients differ from run to
// run.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/attention/attention_op.h"

namespace sparsescope::model {

// Whether cuDNN has it: the whole past, no ALiBi.
bool has_cudnn_attention(const kernels::AttentionForm& form, std::int64_t tokens);
// qkv [B,T,3C] bf16 -> [B,T,C] bf16, as attention(). `qkv` is used up: nobody else may read it.
at::Tensor cudnn_attention(const at::Tensor& qkv, const kernels::AttentionForm& form);

}  // namespace sparsescope::model
