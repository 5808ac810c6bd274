// Where functions with a backward pass of their own leave the gradients of parameters: added to the leaf's
// gradient, with no tensor in between.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

namespace sparsescope::model {

// The gradient of a leaf, made of zeros if it has none.
inline at::Tensor& gradient_of(const at::Tensor& leaf) {
  at::Tensor& gradient = leaf.mutable_grad();
  if (!gradient.defined()) gradient = at::zeros_like(leaf, leaf.options().requires_grad(false));
  return gradient;
}

}  // namespace sparsescope::model
