// The exact GELU of a bf16 tensor, differentiable.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::model {

at::Tensor gelu(const at::Tensor& input);

}  // namespace sparsescope::model
