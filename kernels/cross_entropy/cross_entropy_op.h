// Cross-entropy over chunks of a batch, on tensors.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::kernels {

struct TargetCount {
  at::Tensor inverse;     // [1] fp32, 1 / number of predicted targets
  at::Tensor non_finite;  // [1] i32 = 0; counted up by the chunks
};
// targets [B,T] i64, kIgnoredTarget where nothing is predicted.
TargetCount count_targets(const at::Tensor& targets);

// Rows first .. first+n-1: logits [n,V] fp32. Writes nll [n] fp32; d_logits [n,V] bf16, may be undefined.
void cross_entropy(const at::Tensor& logits, const at::Tensor& targets, std::int64_t first,
                   const TargetCount& count, const at::Tensor& nll, const at::Tensor& d_logits);

// [] fp32: sum of nll [N] times the inverse count.
at::Tensor mean_nll(const at::Tensor& nll, const TargetCount& count);

}  // namespace sparsescope::kernels
