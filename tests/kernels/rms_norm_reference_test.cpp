// Laws of residual addition and RMSNorm on the CPU.
#include <gtest/gtest.h>

#include "tests/kernels/rms_norm_case.h"

namespace sparsescope::kernels {
namespace {

constexpr RmsNormShape kShape = {5, 37};

// sum of normed * d_normed + stream_out * d_stream in double: the loss whose gradient the backward pass is.
double loss_of(const RmsNormCase& made) {
  double loss = 0;
  for (std::int64_t n = 0; n < made.shape.tokens; ++n) {
    const std::int64_t row = n * made.shape.width;
    double squares = 0;
    for (std::int64_t c = 0; c < made.shape.width; ++c) {
      const double x = double(made.stream[row + c]) + float_from_bfloat16(made.delta[row + c]);
      squares += x * x;
    }
    const double rstd = 1 / std::sqrt(squares / double(made.shape.width) + kNormEps);
    for (std::int64_t c = 0; c < made.shape.width; ++c) {
      const double x = double(made.stream[row + c]) + float_from_bfloat16(made.delta[row + c]);
      loss += x * rstd * made.gain[c] * float_from_bfloat16(made.d_normed[row + c]);
      loss += x * made.d_stream[row + c];
    }
  }
  return loss;
}

// Slope of the loss along one value of the case.
double slope(RmsNormCase made, float& (*at)(RmsNormCase&, std::size_t), std::size_t i) {
  constexpr float kStep = 1.0f / 256;
  const float before = at(made, i);
  at(made, i) = before + kStep;
  const double above = loss_of(made);
  at(made, i) = before - kStep;
  return (above - loss_of(made)) / (2 * kStep);
}

TEST(RmsNormReference, GivesRowsOfUnitMeanSquareWhereTheGainIsOne) {
  RmsNormCase made = make_rms_norm_case(kShape, 1);
  std::fill(made.gain.begin(), made.gain.end(), 1.0f);
  const std::vector<float> normed = widened(run_reference(made).normed);
  for (std::int64_t n = 0; n < kShape.tokens; ++n) {
    double squares = 0;
    for (std::int64_t c = 0; c < kShape.width; ++c) squares += std::pow(normed[n * kShape.width + c], 2);
    EXPECT_NEAR(squares / kShape.width, 1, 4e-3) << n;
  }
}

TEST(RmsNormReference, AddsTheDeltaToTheStreamAndLeavesItWithoutOne) {
  const RmsNormCase made = make_rms_norm_case(kShape, 2);
  const RmsNormResult added = run_reference(made), plain = run_reference(made, {.adds_delta = false});
  for (std::size_t i = 0; i < made.count(); ++i) {
    EXPECT_EQ(added.stream[i], made.stream[i] + float_from_bfloat16(made.delta[i]));
    EXPECT_EQ(plain.stream[i], made.stream[i]);
  }
}

TEST(RmsNormReference, HasTheGradientOfItsForwardPass) {
  const RmsNormCase made = make_rms_norm_case(kShape, 3);
  const RmsNormResult result = run_reference(made);
  for (std::size_t i = 0; i < made.count(); i += 7) {
    const double wanted = slope(
        made, [](RmsNormCase& m, std::size_t k) -> float& { return m.stream[k]; }, i);
    EXPECT_NEAR(result.d_stream[i], wanted, 1e-3) << i;
  }
  for (std::size_t c = 0; c < std::size_t(kShape.width); ++c) {
    const double wanted = slope(
        made, [](RmsNormCase& m, std::size_t k) -> float& { return m.gain[k]; }, c);
    EXPECT_NEAR(result.d_gain[c] - 0.25, wanted, 1e-3) << c;
  }
}

TEST(RmsNormReference, HandsTheGradientOnRounded) {
  const RmsNormResult result = run_reference(make_rms_norm_case(kShape, 4));
  EXPECT_EQ(widened(result.d_delta), widened(rounded(result.d_stream)));
}

}  // namespace
}  // namespace sparsescope::kernels
