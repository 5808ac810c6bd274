// SPaRK's decision on tensors: the kernel on a GPU, the reference on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::kernels {

struct SparkScope {
  at::Tensor reasons;      // [B,T,T] u8, ScopeReason
  at::Tensor row_counts;   // [B,T,kScopeCounts] i32
  at::Tensor row_moments;  // [B,T,2] f64
};

// scores [B,T,T] fp32 contiguous, theta [] fp32, same device, neither followed by autograd. Current stream on
// a GPU. Throws std::logic_error for other shapes or types, Error when this build has no GPU code.
SparkScope spark_scope(const at::Tensor& scores, const at::Tensor& theta, ScopeRule rule);

}  // namespace sparsescope::kernels
