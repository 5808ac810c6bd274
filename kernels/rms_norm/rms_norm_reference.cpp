// Residual addition and RMSNorm on the CPU, in fp64: what the kernels are compared with.
#include <cmath>
#include <vector>

#include "kernels/rms_norm/rms_norm.h"

namespace sparsescope::kernels {

void residual_rms_norm_reference(const RmsNormForward& arrays, RmsNormShape shape, float eps) {
  for (std::int64_t n = 0; n < shape.tokens; ++n) {
    const std::int64_t row = n * shape.width;
    double squares = 0;
    for (std::int64_t c = row; c < row + shape.width; ++c) {
      const float added = arrays.delta == nullptr ? 0.0f : float_from_bfloat16(arrays.delta[c]);
      const float x = arrays.stream_in[c] + added;
      arrays.stream_out[c] = x;
      squares += double(x) * x;
    }
    const double rstd = 1 / std::sqrt(squares / double(shape.width) + eps);
    arrays.rstd[n] = float(rstd);
    for (std::int64_t c = 0; c < shape.width; ++c) {
      const double normed = arrays.stream_out[row + c] * rstd * arrays.gain[c];
      arrays.normed[row + c] = bfloat16_from_float(float(normed));
    }
  }
}

void residual_rms_norm_backward_reference(const RmsNormBackward& arrays, RmsNormShape shape,
                                          float* gain_gradient) {
  std::vector<double> gain_sums(shape.width, 0.0);
  for (std::int64_t n = 0; n < shape.tokens; ++n) {
    const std::int64_t row = n * shape.width;
    const double rstd = arrays.rstd[n];
    double projection = 0;  // mean of d_normed gain x rstd
    for (std::int64_t c = 0; c < shape.width; ++c) {
      const double d_normed = float_from_bfloat16(arrays.d_normed[row + c]);
      const double unit = arrays.stream_in[row + c] * rstd;
      gain_sums[c] += d_normed * unit;
      projection += d_normed * arrays.gain[c] * unit / double(shape.width);
    }
    for (std::int64_t c = 0; c < shape.width; ++c) {
      const double d_normed = float_from_bfloat16(arrays.d_normed[row + c]);
      const double unit = arrays.stream_in[row + c] * rstd;
      const double past = arrays.d_stream_out == nullptr ? 0.0 : arrays.d_stream_out[row + c];
      const float gradient = float(past + rstd * (d_normed * arrays.gain[c] - unit * projection));
      arrays.d_stream_in[row + c] = gradient;
      if (arrays.d_delta != nullptr) arrays.d_delta[row + c] = bfloat16_from_float(gradient);
    }
  }
  for (std::int64_t c = 0; c < shape.width; ++c) gain_gradient[c] = float(gain_gradient[c] + gain_sums[c]);
}

}  // namespace sparsescope::kernels
