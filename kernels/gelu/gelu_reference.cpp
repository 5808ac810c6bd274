// The exact GELU on the CPU, in fp64: what the kernels are compared with.
#include <cmath>
#include <numbers>

#include "kernels/gelu/gelu.h"

namespace sparsescope::kernels {
namespace {

// Phi(x); erfc keeps the digits of the lower tail.
double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }
double normal_density(double x) {
  return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

}  // namespace

void gelu_reference(const Bfloat16* input, std::int64_t count, Bfloat16* output) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = float_from_bfloat16(input[i]);
    output[i] = bfloat16_from_float(float(x * normal_cdf(x)));
  }
}

void gelu_backward_reference(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                             Bfloat16* d_input) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = float_from_bfloat16(input[i]);
    const double slope = normal_cdf(x) + x * normal_density(x);
    d_input[i] = bfloat16_from_float(float(float_from_bfloat16(d_output[i]) * slope));
  }
}

}  // namespace sparsescope::kernels
