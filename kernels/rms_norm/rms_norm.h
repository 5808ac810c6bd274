// Residual addition and RMSNorm in one pass over the stream, and its backward. The linear layer that reads
// the normalised rows is somebody else's.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

struct RmsNormShape {
  std::int64_t tokens = 0;  // N
  std::int64_t width = 0;   // C, 1 .. kRmsNormMaxWidth
};
inline constexpr std::int64_t kRmsNormMaxWidth = 8192;

struct RmsNormForward {
  const float* stream_in = nullptr;  // [N,C]
  const Bfloat16* delta = nullptr;   // [N,C] the last sublayer's output, or null: nothing is added
  const float* gain = nullptr;       // [C]
  float* stream_out = nullptr;       // [N,C] x = stream_in + delta; may be stream_in
  Bfloat16* normed = nullptr;        // [N,C] x * rstd * gain
  float* rstd = nullptr;             // [N] 1 / sqrt(mean(x^2) + eps)
};

// Without a delta and with stream_out == stream_in the stream is only read. Throws std::runtime_error when
// the width is out of range or a launch fails.
void residual_rms_norm(const RmsNormForward& arrays, RmsNormShape shape, float eps, Stream stream);

struct RmsNormBackward {
  const float* stream_in = nullptr;     // [N,C] x, what was normalised (stream_out of the forward pass)
  const float* rstd = nullptr;          // [N]
  const float* gain = nullptr;          // [C]
  const Bfloat16* d_normed = nullptr;   // [N,C]
  const float* d_stream_out = nullptr;  // [N,C] what flows back past the norm, or null for zero
  float* d_stream_in = nullptr;         // [N,C] d_stream_out + gradient through the norm; may be d_stream_out
  Bfloat16* d_delta = nullptr;          // [N,C] the same value rounded, or null
  float* gain_partials = nullptr;       // rms_norm_gain_partials() floats, written in full
};

// Partial sums of the gain's gradient that one backward call leaves: kRmsNormPartials rows of C.
inline constexpr std::int64_t kRmsNormPartials = 264;
inline std::int64_t rms_norm_gain_partials(std::int64_t width) { return kRmsNormPartials * width; }

void residual_rms_norm_backward(const RmsNormBackward& arrays, RmsNormShape shape, Stream stream);

// The gains whose gradients one launch finishes: all norms of a model together, or one.
struct GainGradients {
  static constexpr int kCapacity = 64;
  float* targets[kCapacity] = {};  // each [C]
  int count = 0;                   // norms
};

// targets[i] [C] += sum over the rows of partials [count,kRmsNormPartials,C], in a fixed order.
void add_gain_gradients(const float* partials, std::int64_t width, const GainGradients& gradients,
                        Stream stream);

// The same on the host in fp64 (results rounded once); `gain_gradient` [C] is added to; gain_partials is
// ignored.
void residual_rms_norm_reference(const RmsNormForward& arrays, RmsNormShape shape, float eps);
void residual_rms_norm_backward_reference(const RmsNormBackward& arrays, RmsNormShape shape,
                                          float* gain_gradient);

}  // namespace sparsescope::kernels
