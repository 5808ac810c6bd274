// Laws of the exact GELU on the CPU.
#include <gtest/gtest.h>

#include "kernels/gelu/gelu.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {
namespace {

float gelu_at(float x) {
  const Bfloat16 input = bfloat16_from_float(x);
  Bfloat16 output;
  gelu_reference(&input, 1, &output);
  return float_from_bfloat16(output);
}

TEST(GeluReference, DiffersFromItsMirrorImageByTheInput) {
  for (const float x : {0.0f, 0.25f, 0.5f, 1.0f, 2.0f, 4.0f})
    EXPECT_NEAR(gelu_at(x) - gelu_at(-x), x, 0.01 * x);
}

TEST(GeluReference, HasTheValuesOfTheNormalDistribution) {
  EXPECT_EQ(gelu_at(0), 0);
  EXPECT_NEAR(gelu_at(1), 0.841345, 2e-3);
  EXPECT_NEAR(gelu_at(-2), -2 * 0.0227501, 2e-4);
}

TEST(GeluReference, HasTheSlopeOfItsForwardPass) {
  const auto exact = [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  const Bfloat16 one = bfloat16_from_float(1);
  for (const float x : {-3.0f, -1.0f, -0.75f, 0.0f, 0.5f, 1.5f, 5.0f}) {
    const Bfloat16 input = bfloat16_from_float(x);
    Bfloat16 slope;
    gelu_backward_reference(&input, &one, 1, &slope);
    EXPECT_NEAR(float_from_bfloat16(slope), (exact(x + 1e-5) - exact(x - 1e-5)) / 2e-5, 4e-3) << x;
  }
}

}  // namespace
}  // namespace sparsescope::kernels
