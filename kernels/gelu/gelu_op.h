// The exact GELU on bf16 tensors of any shape.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::kernels {

at::Tensor gelu(const at::Tensor& input);
at::Tensor gelu_backward(const at::Tensor& input, const at::Tensor& d_output);

}  // namespace sparsescope::kernels
