// Laws of the attention reference: gradients against differences, windows, positions, causality.
#include <gtest/gtest.h>

#include "kernels/attention/attention.h"
#include "tests/kernels/attention_case.h"

namespace sparsescope::kernels {
namespace {

double loss_of(const AttentionCase& made) {
  const AttentionResult result = reference_of(made);
  double loss = 0;
  for (std::size_t i = 0; i < result.output.size(); ++i) loss += result.output[i] * made.d_output[i];
  return loss;
}

TEST(AttentionReference, HasTheGradientThatDifferencesGive) {
  for (const auto positions :
       {Positions::None, Positions::Alibi, Positions::HalfSplit, Positions::AlibiAndInterleaved}) {
    for (const std::int64_t window : {std::int64_t(3), INT64_MAX}) {
      AttentionCase made({2, 6, 2, 4}, window, positions, 3);
      const std::vector<double> d_qkv = reference_of(made).d_qkv;
      for (std::size_t i = 0; i < made.qkv.size(); i += 5) {
        const double kept = made.qkv[i], step = 1e-5;
        made.qkv[i] = kept + step;
        const double above = loss_of(made);
        made.qkv[i] = kept - step;
        const double below = loss_of(made);
        made.qkv[i] = kept;
        EXPECT_NEAR(d_qkv[i], (above - below) / (2 * step), 1e-8) << made.name() << ", value " << i;
      }
    }
  }
}

TEST(AttentionReference, WithAWindowOfOneReturnsTheValueItself) {
  const AttentionCase made({1, 5, 1, 4}, 1, Positions::Alibi, 4);
  const AttentionResult result = reference_of(made);
  for (std::int64_t t = 0; t < 5; ++t) {
    for (std::int64_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(result.output[t * 4 + i], made.qkv[t * 12 + 8 + i]);
  }
}

TEST(AttentionReference, WithAWindowOfAllTokensIsDense) {
  AttentionCase made({2, 9, 3, 4}, 9, Positions::Alibi, 5);
  const AttentionResult windowed = reference_of(made);
  made.window = INT64_MAX;
  const AttentionResult dense = reference_of(made);
  EXPECT_EQ(windowed.output, dense.output);
  EXPECT_EQ(windowed.lse, dense.lse);
  EXPECT_EQ(windowed.d_qkv, dense.d_qkv);
}

TEST(AttentionReference, DoesNotSeeTheFuture) {
  AttentionCase made({1, 9, 2, 4}, INT64_MAX, Positions::Interleaved, 6);
  const AttentionResult before = reference_of(made);
  for (std::size_t i = 5 * 24; i < made.qkv.size(); ++i) made.qkv[i] += 1;
  const AttentionResult after = reference_of(made);
  for (std::size_t i = 0; i < 5 * 8; ++i) EXPECT_EQ(before.output[i], after.output[i]);
  EXPECT_NE(before.output[5 * 8], after.output[5 * 8]);
}

TEST(AttentionReference, ExponentialsOfLogitsMinusLseSumToOne) {
  const AttentionCase made({1, 7, 1, 4}, INT64_MAX, Positions::Alibi, 8);
  const AttentionResult result = reference_of(made);
  for (std::int64_t t = 0; t < 7; ++t) {
    double sum = 0;
    for (std::int64_t p = 0; p <= t; ++p) {
      double logit = -made.slopes[0] * double(t - p);
      for (std::int64_t i = 0; i < 4; ++i) logit += 0.5 * made.qkv[t * 12 + i] * made.qkv[p * 12 + 4 + i];
      sum += std::exp(logit - result.lse[t]);
    }
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

TEST(AttentionReference, RoundsTheFp64ResultOnce) {
  const AttentionCase made = rounded_inputs({{2, 11, 3, 16}, 5, Positions::AlibiAndInterleaved, 9});
  const AttentionResult exact = reference_of(made);
  const std::vector<Bfloat16> qkv = rounded_doubles(made.qkv), d_output = rounded_doubles(made.d_output);
  std::vector<Bfloat16> output(d_output.size()), d_qkv(qkv.size());
  std::vector<float> lse(exact.lse.size());
  attention_reference(AttentionForward{qkv.data(), output.data(), lse.data()}, made.shape, made.host_rule());
  attention_backward_reference({qkv.data(), nullptr, nullptr, d_output.data(), d_qkv.data(), nullptr},
                               made.shape, made.host_rule());
  EXPECT_EQ(doubles_of(output), doubles_of(rounded_doubles(exact.output)));
  EXPECT_EQ(doubles_of(d_qkv), doubles_of(rounded_doubles(exact.d_qkv)));
  for (std::size_t i = 0; i < lse.size(); ++i) EXPECT_EQ(lse[i], float(exact.lse[i]));
}

TEST(RopeReference, TurnsTheGoldenRow) {
  // x = 1 2 3 4 at position 3, base 10000.
  const float cosines[2] = {std::cos(3.0f), std::cos(0.03f)}, sines[2] = {std::sin(3.0f), std::sin(0.03f)};
  const double interleaved[4] = {-1.27223251, -1.83886499, 2.8786681, 4.08818664};
  const double half_split[4] = {-1.41335252, 1.87911807, -2.82885748, 4.05819114};
  for (const auto layout : {RotaryLayout::Interleaved, RotaryLayout::HalfSplit}) {
    double qkv[12] = {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4};
    const RotaryTables tables{cosines, sines, layout};
    rope_reference(qkv, tables, {1, 1, 1, 4}, RotaryTurn::Forward);
    const double* wanted = layout == RotaryLayout::Interleaved ? interleaved : half_split;
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(qkv[i], wanted[i], 1e-6);
      EXPECT_NEAR(qkv[4 + i], wanted[i], 1e-6);
      EXPECT_EQ(qkv[8 + i], i + 1);
    }
    rope_reference(qkv, tables, {1, 1, 1, 4}, RotaryTurn::Back);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(qkv[i], i + 1, 1e-6);
  }
}

TEST(RopeReference, MakesProductsDependOnDistanceAlone) {
  // The same q and k at every position.
  AttentionCase made({1, 12, 1, 8}, INT64_MAX, Positions::HalfSplit, 10);
  for (std::size_t i = 24; i < made.qkv.size(); ++i) made.qkv[i] = made.qkv[i - 24];
  rope_reference(made.qkv.data(), made.host_rule().rotary, {1, 12, 1, 8}, RotaryTurn::Forward);
  auto product = [&](std::int64_t t, std::int64_t p) {
    double sum = 0;
    for (std::int64_t i = 0; i < 8; ++i) sum += made.qkv[t * 24 + i] * made.qkv[p * 24 + 8 + i];
    return sum;
  };
  for (std::int64_t t = 4; t < 11; ++t) EXPECT_NEAR(product(t, t - 4), product(t + 1, t - 3), 1e-6);
}

}  // namespace
}  // namespace sparsescope::kernels
