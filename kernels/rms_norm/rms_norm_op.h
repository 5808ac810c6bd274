// Residual addition with RMSNorm on tensors. Shapes: N tokens of width C.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::kernels {

struct NormedStream {
  at::Tensor stream;  // [N,C] fp32, stream + delta; the input itself without a delta
  at::Tensor normed;  // [N,C] bf16
  at::Tensor rstd;    // [N] fp32
};
// stream [N,C] fp32, delta [N,C] bf16 or undefined, gain [C] fp32.
NormedStream residual_rms_norm(const at::Tensor& stream, const at::Tensor& delta, const at::Tensor& gain,
                               double eps);

struct StreamGradient {
  at::Tensor stream;  // [N,C] fp32
  at::Tensor delta;   // [N,C] bf16, the same value rounded
};
// d_stream [N,C] fp32 or undefined, d_normed [N,C] bf16; adds to gain_gradient [C] fp32.
StreamGradient residual_rms_norm_backward(const NormedStream& made, const at::Tensor& gain,
                                          const at::Tensor& d_stream, const at::Tensor& d_normed,
                                          const at::Tensor& gain_gradient);

}  // namespace sparsescope::kernels
