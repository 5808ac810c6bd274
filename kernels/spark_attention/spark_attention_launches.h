// The parts of spark_attention_backward, for the file that puts them together. Not for callers.
#pragma once

#include "kernels/spark_attention/spark_attention.h"

namespace sparsescope::kernels {

struct SparkArguments;

// Two launches: d_qkv in full, and delta.
void spark_qkv_gradients(const SparkArguments& arguments, int head_width, SparkEstimator estimator,
                         Stream stream);

}  // namespace sparsescope::kernels
