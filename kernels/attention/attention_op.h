// Causal attention on packed qkv tensors. Shapes: B sequences of T tokens, H heads of width D, C = H D.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kernels/rope/rope.h"

namespace sparsescope::kernels {

struct AttentionForm {
  std::int64_t heads = 1;
  double scale = 1;
  std::int64_t window = INT64_MAX;  // keys a query sees, itself included
  at::Tensor slopes;                // [H] fp32, ALiBi; or undefined
  at::Tensor cosines, sines;        // [T,D/2] fp32, rotary; or undefined
  RotaryLayout layout = RotaryLayout::Interleaved;
};

// Whether the kernels have heads of this width.
bool has_attention(std::int64_t head_width);

struct AttentionOutput {
  at::Tensor output;  // [B,T,C] bf16
  at::Tensor lse;     // [B,H,T] fp32
};
AttentionOutput attention(const at::Tensor& qkv, const AttentionForm& form);  // qkv [B,T,3C] bf16
// d_output [B,T,C] bf16 -> d_qkv [B,T,3C] bf16.
at::Tensor attention_backward(const at::Tensor& qkv, const AttentionOutput& made, const at::Tensor& d_output,
                              const AttentionForm& form);

// Turns q and k of qkv [B,T,3C] bf16 in place.
void rope(const at::Tensor& qkv, const AttentionForm& form, RotaryTurn turn);

}  // namespace sparsescope::kernels
