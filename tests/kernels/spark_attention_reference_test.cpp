// The fp64 reference of SPaRK's attention against golden figures, finite differences and laws; the decision
// against the golden case.
#include <gtest/gtest.h>

#include "tests/kernels/spark_golden.h"

namespace sparsescope::kernels {
namespace {

constexpr double kPrinted = 6e-9;  // golden figures have eight digits after the point

void expect_row(const double* got, const std::vector<double>& wanted, const char* what) {
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], kPrinted) << what << ' ' << i;
}

TEST(SparkAttentionReference, GivesTheGoldenForwardPass) {
  SparkGolden golden;
  golden.run(SparkEstimator::Surrogate, SparkGatePairs::All);
  expect_row(golden.output.data(),
             {1, 0, .43844204, .56155796, 1, .62459943, .15863863, 1.1473892, .46683757, .3505901, 1.39402996,
              .39402996},
             "y");
  expect_row(golden.hard.data() + 4 * 6, {.3755514, .44187627, 0, 0, .18257233}, "w_h of row 4");
  expect_row(golden.soft.data() + 4 * 6, {.30117284, .22033068, .10343522, .22864767, .14641359},
             "w_s of row 4");
}

TEST(SparkAttentionReference, GivesTheGoldenSurrogateGradient) {
  SparkGolden golden;
  golden.run(SparkEstimator::Surrogate, SparkGatePairs::All);
  expect_row(golden.d_scores.data() + 3 * 6, {.31248293, .0440632, .24635386, 0, 0, 0}, "dS of row 3");
  expect_row(golden.d_scores.data() + 4 * 6, {0, -.09022197, .07926846, -.60099643, 0, 0}, "dS of row 4");
  expect_row(golden.d_scores.data() + 5 * 6, {.00242068, -.14491492, -.06131301, -.10745155, 0, 0},
             "dS of row 5");
  EXPECT_NEAR(golden.d_theta, .14683309, kPrinted);
  expect_row(golden.d_queries.data() + 4 * 2, {-.0043811, -.36580137}, "dq4");
  expect_row(golden.d_keys.data(), {.43101421, .58087843}, "dk0");
  expect_row(golden.d_values.data(), {2.4626855, -2.4626855}, "dv0");
  expect_row(golden.d_declarations.data() + 2, {-.08074475, .0142092}, "dz1");
  // Id 0 stands at positions 0 and 4.
  EXPECT_NEAR(golden.d_addresses[0] + golden.d_addresses[8], -.43334618, kPrinted);
  EXPECT_NEAR(golden.d_addresses[1] + golden.d_addresses[9], -.26401015, kPrinted);
}

TEST(SparkAttentionReference, GivesTheGoldenInScopeGradients) {
  SparkGolden golden;
  golden.run(SparkEstimator::InScope, SparkGatePairs::All);
  EXPECT_NEAR(golden.d_theta, .05325015, kPrinted);
  golden.run(SparkEstimator::InScope, SparkGatePairs::Direct);
  EXPECT_NEAR(golden.d_theta, -.40532291, kPrinted);
  expect_row(golden.d_scores.data() + 3 * 6, {.22136143, 0, .15109236, 0, 0, 0}, "dS of row 3");
}

// With every past pair direct, `surrogate` and the exact gradient of soft attention are one function but for
// dv.
TEST(SparkAttentionReference, SurrogateIsTheGradientOfSoftAttention) {
  SparkGolden golden;
  golden.run(SparkEstimator::Surrogate, SparkGatePairs::All);
  const auto loss = [&] {
    golden.run(SparkEstimator::Surrogate, SparkGatePairs::All);
    double sum = 0;
    for (std::size_t i = 0; i < golden.soft_output.size(); ++i)
      sum += golden.soft_output[i] * golden.upstream[i];
    return sum;
  };
  const auto slope = [&](double& value) {
    constexpr double kStep = 1e-5;
    const double kept = value;
    value = kept + kStep;
    const double above = loss();
    value = kept - kStep;
    const double below = loss();
    value = kept;
    return (above - below) / (2 * kStep);
  };
  const std::vector<double> d_queries = golden.d_queries, d_keys = golden.d_keys, d_z = golden.d_declarations;
  const double d_theta = golden.d_theta;
  for (std::size_t i = 0; i < d_queries.size(); ++i) {
    EXPECT_NEAR(slope(golden.queries[i]), d_queries[i], 1e-8);
    EXPECT_NEAR(slope(golden.keys[i]), d_keys[i], 1e-8);
    EXPECT_NEAR(slope(golden.declarations[i]), d_z[i], 1e-8);
  }
  EXPECT_NEAR(slope(golden.theta), d_theta, 1e-8);
}

TEST(SparkAttentionReference, ASavedOutputStandsForTheExactOne) {
  for (const SparkEstimator estimator : {SparkEstimator::Surrogate, SparkEstimator::InScope}) {
    SparkGolden golden;
    golden.run(estimator, SparkGatePairs::All);
    const std::vector<double> d_queries = golden.d_queries;
    std::vector<double> saved = estimator == SparkEstimator::Surrogate ? golden.soft_output : golden.output;
    golden.saved_output = saved.data();
    golden.run(estimator, SparkGatePairs::All);
    EXPECT_EQ(golden.d_queries, d_queries);
    // One lost in row 4 adds its weights to d_logits: dq4 += scale * sum of w k.
    saved[4 * 2] -= 1;
    golden.run(estimator, SparkGatePairs::All);
    const double* weights =
        (estimator == SparkEstimator::Surrogate ? golden.soft : golden.hard).data() + 4 * 6;
    for (int i = 0; i < 2; ++i) {
      double wanted = d_queries[4 * 2 + i];
      for (int key = 0; key < 6; ++key) wanted += weights[key] * golden.keys[key * 2 + i] / std::sqrt(2.0);
      EXPECT_NEAR(golden.d_queries[4 * 2 + i], wanted, 1e-12);
      EXPECT_EQ(golden.d_queries[5 * 2 + i], d_queries[5 * 2 + i]);
    }
  }
}

TEST(SparkAttentionReference, ThePenaltyIsTheGradientOfTheMeanSoftGate) {
  SparkGolden golden;
  std::fill(golden.upstream.begin(), golden.upstream.end(), 0.0);
  golden.penalty = 0.25;
  const auto penalty = [&](double theta) {
    double sum = 0;
    for (int query = 0; query < 6; ++query)
      for (int key = 0; key < query; ++key)
        sum += 1 / (1 + std::exp(-(golden.score(query, key) - theta) / .5));
    return golden.penalty * sum;
  };
  golden.run(SparkEstimator::InScope, SparkGatePairs::Direct);
  EXPECT_NEAR(golden.d_theta, (penalty(golden.theta + 1e-5) - penalty(golden.theta - 1e-5)) / 2e-5, 1e-8);
  EXPECT_EQ(golden.mass[0], 0);
}

TEST(SparkScoresReference, TakesTheGoldenDecision) {
  SparkGolden golden;
  const std::vector<std::uint8_t> wanted = {8, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0,
                                            3, 0, 1, 8, 0, 0, 2, 1, 0, 0, 8, 0, 0, 0, 0, 0, 4, 8};
  EXPECT_EQ(golden.reasons, wanted);
  EXPECT_NEAR(golden.score(1, 0), 1.06066, 5e-6);
  EXPECT_NEAR(golden.score(1, 1), -.282843, 5e-7);
}

}  // namespace
}  // namespace sparsescope::kernels
