// A case of residual addition and RMSNorm with its results on the host, shared by the CPU and GPU tests.
#pragma once

#include "kernels/rms_norm/rms_norm.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {

inline constexpr float kNormEps = 1e-6f;

struct RmsNormCase {
  RmsNormShape shape;
  std::vector<float> stream, gain, d_stream;  // [N,C], [C], [N,C]
  std::vector<Bfloat16> delta, d_normed;      // [N,C]

  std::size_t count() const { return std::size_t(shape.tokens * shape.width); }
};

struct RmsNormResult {
  std::vector<float> stream, rstd, d_stream, d_gain;
  std::vector<Bfloat16> normed, d_delta;

  explicit RmsNormResult(RmsNormShape shape)
      : stream(shape.tokens * shape.width, NAN),
        rstd(shape.tokens, NAN),
        d_stream(stream),
        d_gain(shape.width, 0.25f),
        normed(rounded(stream)),
        d_delta(normed) {}
};

// Which of the pointers that may be null are null.
struct RmsNormUse {
  bool adds_delta = true, has_d_stream = true, writes_d_delta = true;
};

inline RmsNormCase make_rms_norm_case(RmsNormShape shape, std::uint32_t seed) {
  const std::size_t count = std::size_t(shape.tokens * shape.width);
  RmsNormCase made{shape,
                   normal_floats(count, seed, 2),
                   normal_floats(shape.width, seed + 1),
                   normal_floats(count, seed + 2),
                   rounded(normal_floats(count, seed + 3)),
                   rounded(normal_floats(count, seed + 4))};
  for (float& gain : made.gain) gain += 1;
  return made;
}

inline RmsNormResult run_reference(const RmsNormCase& made, RmsNormUse use = {}) {
  RmsNormResult result(made.shape);
  residual_rms_norm_reference(
      {made.stream.data(), use.adds_delta ? made.delta.data() : nullptr, made.gain.data(),
       result.stream.data(), result.normed.data(), result.rstd.data()},
      made.shape, kNormEps);
  residual_rms_norm_backward_reference(
      {result.stream.data(), result.rstd.data(), made.gain.data(), made.d_normed.data(),
       use.has_d_stream ? made.d_stream.data() : nullptr, result.d_stream.data(),
       use.writes_d_delta ? result.d_delta.data() : nullptr, nullptr},
      made.shape, result.d_gain.data());
  return result;
}

}  // namespace sparsescope::kernels
