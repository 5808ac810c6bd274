// Causal attention and its gradient on packed qkv: dense or a window, ALiBi, rotary positions. The linear
// layers around it are somebody else's, and so is attention over a learned scope (kernels/spark_attention).
//
//   l[t,p] = scale q_t.k_p - slope (t - p)        for 0 <= t-p < window, q and k turned when tables are given
//   w = softmax over p of l, out_t = sum_p w[t,p] v_p, lse_t = ln sum_p exp l[t,p]
//   dl = w (dw - delta_t), dw[t,p] = d_out_t.v_p, delta_t = sum_p w dw = out_t.d_out_t
//
// Logits, softmax and lse are fp32; w and dl are rounded to bf16 for their products, sums are fp32.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"
#include "kernels/rope/rope.h"

namespace sparsescope::kernels {

struct AttentionShape {
  std::int64_t batch = 0;       // B
  std::int64_t tokens = 0;      // T
  std::int64_t heads = 0;       // H
  std::int64_t head_width = 0;  // D: 16, 32, 64 or 128
};

struct AttentionRule {
  float scale = 1;                  // of q.k, usually 1 / sqrt(D)
  std::int64_t window = INT64_MAX;  // W >= 1: a query sees the keys with 0 <= t-p < W; W >= T is dense
  const float* slopes = nullptr;    // [H] on the device, ALiBi; or null
  // Of q and k; qkv in memory stays as it is. Up to 256 tokens this is faster than rope() before and after
  // (on an H100 forward and backward, (B, H, T, D) = (64, 6, 256, 32): 66 against 71 us), beyond it is slower
  // ((16, 6, 1024, 64): 354 against 280), because every block turns its keys again.
  RotaryTables rotary;
};

struct AttentionForward {
  const Bfloat16* qkv = nullptr;  // [B,T,3,H,D]
  Bfloat16* output = nullptr;     // [B,T,H,D]
  float* lse = nullptr;           // [B,H,T]
};

struct AttentionBackward {
  const Bfloat16* qkv = nullptr;       // [B,T,3,H,D] as given to the forward pass
  const Bfloat16* output = nullptr;    // [B,T,H,D] of the forward pass
  const float* lse = nullptr;          // [B,H,T] of the forward pass
  const Bfloat16* d_output = nullptr;  // [B,T,H,D]
  Bfloat16* d_qkv = nullptr;           // [B,T,3,H,D] written in full; of q and k before they were turned
  float* scratch = nullptr;            // attention_backward_scratch() floats
};

// Floats of scratch; may be shared by all layers.
inline std::int64_t attention_backward_scratch(AttentionShape shape) {
  return shape.batch * shape.heads * shape.tokens;
}

// One launch. The same bits on every run, and outputs at t depend on nothing after t. All pointers 16-byte
// aligned, on the device of `stream`. Throws std::runtime_error when D or W is out of range or a launch
// fails.
void attention(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule,
               Stream stream);

// One launch for short contexts, two for others; no atomics, the same bits on every run.
void attention_backward(const AttentionBackward& arrays, AttentionShape shape, const AttentionRule& rule,
                        Stream stream);

// The same on the host in fp64: results are rounded once, nothing inside is. The gradient computes the
// forward pass again: output, lse and scratch are not read. Slopes and tables are on the host, too.
void attention_reference(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule);
void attention_backward_reference(const AttentionBackward& arrays, AttentionShape shape,
                                  const AttentionRule& rule);

// Layouts as above. What is null is not written.
struct AttentionValues {
  const double* qkv = nullptr;
  double* output = nullptr;
  double* lse = nullptr;
  const double* d_output = nullptr;  // with d_qkv
  double* d_qkv = nullptr;
};

// Forward and backward on the host, fp64 from end to end; any even D.
void attention_reference(const AttentionValues& values, AttentionShape shape, const AttentionRule& rule);

}  // namespace sparsescope::kernels
