// Each signal against numbers worked out by hand.
#include "engine/detect/signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sparsescope::detect {
namespace {

TEST(Signals, MemorisationNeedsATrainingLossBelowHalfTheHeldOutOne) {
  EXPECT_DOUBLE_EQ(memorisation(1.0, 3.0).value, 2.0);
  EXPECT_EQ(memorisation(1.0, 3.0).condition, Condition::Met);
  EXPECT_EQ(memorisation(2.0, 3.0).condition, Condition::Unmet);
}

TEST(Signals, LeakTakesTheWorseOfBothTests) {
  EXPECT_EQ(leak(0.0, 2.0, 1.0).value, 0.0);
  EXPECT_DOUBLE_EQ(leak(0.0, 0.5, 0.75).value, 0.25);
  EXPECT_DOUBLE_EQ(leak(0.5, 2.0, -std::numeric_limits<double>::infinity()).value, 0.5);
}

TEST(Signals, LoopCountsDistinctFourGrams) {
  const std::vector<std::int32_t> periodic = {1, 2, 1, 2, 1, 2, 1, 2};  // 5 four-grams, 2 distinct
  EXPECT_DOUBLE_EQ(loop(periodic).value, 0.4);
  const std::vector<std::int32_t> fresh = {1, 2, 3, 4, 5};
  EXPECT_DOUBLE_EQ(loop(fresh).value, 1.0);
  EXPECT_DOUBLE_EQ(loop(std::vector<std::int32_t>{1, 2}).value, 1.0);
}

TEST(Signals, DensifyLooksOnlyAtRowsBeyondTwoWindows) {
  const std::vector<double> sizes = {0, 1, 2, 3, 1, 2};  // W = 2: rows 4 and 5, 3 of 9 pairs
  EXPECT_DOUBLE_EQ(densify(sizes, 2).value, 3.0 / 9.0);
  EXPECT_TRUE(std::isnan(densify(sizes, 3).value));
}

TEST(Signals, HubIsTheShareOfTheTopPercentRoundedUp) {
  std::vector<std::int64_t> edges(150, 1);  // top 2 of 150 keys
  edges[7] = 51;
  edges[90] = 101;
  EXPECT_DOUBLE_EQ(hub(edges).value, 152.0 / 300.0);
  EXPECT_TRUE(std::isnan(hub(std::vector<std::int64_t>(10, 0)).value));
}

TEST(Signals, ConstantDeclarationIsTheMeanJaccardOfAllPairs) {
  const std::vector<std::vector<std::int32_t>> sets = {{1, 2}, {2, 3}, {1, 2}};  // 1/3, 1, 1/3
  EXPECT_DOUBLE_EQ(constant_declaration(sets).value, (1.0 / 3 + 1.0 + 1.0 / 3) / 3);
  EXPECT_DOUBLE_EQ(constant_declaration(std::vector<std::vector<std::int32_t>>{{}, {}}).value, 1.0);
}

TEST(Signals, ChurnIsPerStep) {
  const std::vector<std::uint64_t> before = {0b1111, 0}, now = {0b1001, 0b11};
  EXPECT_DOUBLE_EQ(churn(before, now, 8, 1).value, 0.5);
  EXPECT_DOUBLE_EQ(churn(before, now, 8, 10).value, 0.05);
}

TEST(Signals, AbsorptionIsInStandardErrors) {
  EXPECT_DOUBLE_EQ(absorption(0.06, 0.02).value, 3.0);
  EXPECT_TRUE(std::isnan(absorption(0.06, 0.0).value));
}

TEST(Signals, DivergenceMeasuresFromTheMinimum) {
  Divergence divergence;
  EXPECT_EQ(divergence.observe(5.0).value, 0.0);
  EXPECT_EQ(divergence.observe(3.0).value, 0.0);
  EXPECT_TRUE(std::isnan(divergence.observe(std::numeric_limits<double>::quiet_NaN()).value));
  EXPECT_DOUBLE_EQ(divergence.observe(4.5).value, 1.5);
}

TEST(Signals, EntropyDropForgetsWhatLiesBeforeTheLookBack) {
  EntropyDrop drop(100);
  EXPECT_EQ(drop.observe(0, 0.8).value, 0.0);
  EXPECT_DOUBLE_EQ(drop.observe(100, 0.4).value, 0.5);
  EXPECT_DOUBLE_EQ(drop.observe(200, 0.4).value, 0.0);
}

TEST(Signals, ThresholdDriftAsksForOneDirection) {
  ThresholdDrift steady(0.0), shaken(0.0);
  Reading reading, other;
  for (int i = 1; i <= 20; ++i) {
    reading = steady.observe(-0.1 * i, 0.25 * i);
    other = shaken.observe(i % 5 == 0 ? 0.0 : -0.1 * i, 0.25 * i);
    EXPECT_EQ(reading.condition, i < 18 ? Condition::Unmet : Condition::Met);
  }
  EXPECT_NEAR(reading.value, 0.4, 1e-12);
  EXPECT_EQ(reading.condition, Condition::Met);
  EXPECT_EQ(other.condition, Condition::Unmet);
}

TEST(Signals, PruneSpiralAsksForARisingThreshold) {
  PruneSpiral spiral;
  EXPECT_EQ(spiral.observe(0.4, 0.0).condition, Condition::Unmet);
  const Reading rising = spiral.observe(0.1, 0.1);
  EXPECT_DOUBLE_EQ(rising.value, 0.25);
  EXPECT_EQ(rising.condition, Condition::Met);
  EXPECT_EQ(spiral.observe(0.1, 0.1).condition, Condition::Unmet);
}

}  // namespace
}  // namespace sparsescope::detect
