// The residual stream and its norms as differentiable functions of kernels/rms_norm.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::model {

struct ResidualNorm {
  at::Tensor stream;  // [B,T,C] fp32: stream + delta
  at::Tensor normed;  // [B,T,C] bf16: RMSNorm of it
};
// stream [B,T,C] fp32, delta [B,T,C] bf16 or undefined. The gain's gradient is added to gain.grad().
ResidualNorm residual_norm(const at::Tensor& stream, const at::Tensor& delta, const at::Tensor& gain,
                           double eps);

}  // namespace sparsescope::model
