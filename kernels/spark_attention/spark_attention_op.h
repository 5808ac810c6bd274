// SPaRK's scores, decision, attention and their gradients on tensors of a GPU. Shapes: B sequences of T
// tokens, H heads of width D, C = H D, declarations of width r.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/attention/attention_op.h"
#include "kernels/embedding/embedding_op.h"
#include "kernels/spark_attention/spark_attention.h"

namespace sparsescope::kernels {

// Whether the kernels have heads of this width.
bool has_spark_attention(std::int64_t head_width);

struct SparkForm {
  AttentionForm attention;  // positions; the window is not used
  SparkScoresRule scores;
  SparkEstimator estimator = SparkEstimator::Surrogate;
  SparkGatePairs gate_pairs = SparkGatePairs::All;
  std::int64_t layers = 1;  // over which the sparsity penalty is a mean
};

struct SparkTensors {
  at::Tensor qkv;           // [B,T,3C] bf16; q and k are turned in place
  at::Tensor declarations;  // [B,T,r] fp32
  at::Tensor addresses;     // [V,r] fp32
  at::Tensor theta;         // [] fp32
  at::Tensor ids;           // [B,T] i64
};

// What the forward pass leaves; the tensors of `soft` and log_gates only where gradients are wanted.
struct SparkMade {
  at::Tensor output;                 // [B,T,C] bf16
  at::Tensor lse_hard;               // [B,H,T] fp32
  at::Tensor soft_output, lse_soft;  // the same under the soft gates
  at::Tensor direct, scope;          // [B,T,words] i32: bitsets
  at::Tensor log_gates;              // plane of pairs, bf16
  at::Tensor row_counts;             // [B,T,kScopeCounts] i32
  at::Tensor row_moments;            // [B,T,2] f64
};
enum class SparkGradients { None, Wanted };
// row_gates [B,T] f64 is written, or undefined.
SparkMade spark_forward(const SparkTensors& tensors, const SparkForm& form, SparkGradients gradients,
                        const at::Tensor& row_gates);

struct SparkGradientsMade {
  at::Tensor qkv;           // [B,T,3C] bf16, of q and k before they were turned
  at::Tensor address_rows;  // [B*T,r] fp32
  at::Tensor declarations;  // [B,T,r] fp32
};
// Adds to theta_gradient [] fp32. `weight` [] fp32 is the live sparsity weight.
SparkGradientsMade spark_backward(const SparkTensors& tensors, const SparkMade& made, const SparkForm& form,
                                  const at::Tensor& d_output, const at::Tensor& weight,
                                  const at::Tensor& theta_gradient);

}  // namespace sparsescope::kernels
