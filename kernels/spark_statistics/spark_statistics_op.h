// The figures of a SPaRK training step on tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/spark_statistics/spark_statistics.h"

namespace sparsescope::kernels {

struct SparkStatisticsTensors {
  struct Layer {
    at::Tensor row_counts;       // [B,T,kScopeCounts] i32
    at::Tensor row_moments;      // [B,T,2] f64
    at::Tensor row_gates;        // [B,T] f64
    at::Tensor declarations;     // [B,T,r] fp32
    at::Tensor theta, gradient;  // [] fp32
  };
  std::vector<Layer> layers;
  at::Tensor addresses;  // [V,r] fp32
  at::Tensor offsets;    // [V+1] i32 of the batch's grouped ids
  double score_scale = 1;
};
// [L,kSparkFigures] f64; adds to non_finite [1] i32.
at::Tensor spark_statistics(const SparkStatisticsTensors& tensors, const at::Tensor& non_finite);

}  // namespace sparsescope::kernels
