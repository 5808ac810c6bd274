// SPaRK's mixer core, from qkv and declarations to its output, differentiable with its own estimators.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/spark_attention/spark_attention_op.h"

namespace sparsescope::model {

struct SparkOutput {
  at::Tensor output;       // [B,T,C] bf16
  at::Tensor row_counts;   // [B,T,kScopeCounts] i32
  at::Tensor row_moments;  // [B,T,2] f64
};
// `tensors.qkv` is used up: nobody else may read it. Gradients of the addresses and of theta are added to
// those of the leaves; the sparsity penalty's are among them, with the live `weight` []. `row_gates` [B,T]
// f64 is written, or undefined.
SparkOutput spark(const kernels::SparkTensors& tensors, const kernels::SparkForm& form,
                  const kernels::GroupedIds& groups, const at::Tensor& weight, const at::Tensor& row_gates);

}  // namespace sparsescope::model
