// The learning rate of every step, against values worked out by hand.
#include "engine/train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sparsescope::train {
namespace {

experiments::OptimizerConfig recipe() {
  experiments::OptimizerConfig config;
  config.learning_rate = 2e-3;
  config.warmup_steps = 100;
  config.final_lr_fraction = 0.1;
  return config;
}

TEST(Schedule, FollowsTheFormulaOfTheRecipe) {
  const Schedule schedule(recipe(), 850);
  for (int i = 0; i < 850; ++i) {
    const double expected =
        2e-3 * std::min(1.0, (i + 1) / 100.0) * (0.1 + 0.45 * (1 + std::cos(M_PI * i / 850)));
    EXPECT_NEAR(schedule.learning_rate(i), expected, 1e-18) << i;
  }
}

TEST(Schedule, TheSumOfAllRatesIsTheReachOfTheReferenceRuns) {
  double five_epochs = 0, twelve_epochs = 0;
  const Schedule short_run(recipe(), 850), long_run(recipe(), 2040);
  for (int i = 0; i < 850; ++i) five_epochs += short_run.learning_rate(i);
  for (int i = 0; i < 2040; ++i) twelve_epochs += long_run.learning_rate(i);
  EXPECT_NEAR(five_epochs, 0.84, 0.005);
  EXPECT_NEAR(twelve_epochs, 2.15, 0.01);
}

TEST(Schedule, WithoutWarmUpTheFirstStepHasTheFullRate) {
  experiments::OptimizerConfig config = recipe();
  config.warmup_steps = 0;
  EXPECT_DOUBLE_EQ(Schedule(config, 10).learning_rate(0), 2e-3);
}

TEST(Schedule, EndsAtItsFloor) { EXPECT_NEAR(Schedule(recipe(), 100000).learning_rate(99999), 2e-4, 1e-9); }

}  // namespace
}  // namespace sparsescope::train
