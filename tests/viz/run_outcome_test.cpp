// What a run came to: the numbers of its views at the end, and mean and spread of many.
#include "viz/model/run_outcome.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/viz/viz_support.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

double value(const std::vector<OutcomeNumber>& numbers, const std::string& name) {
  const auto found = std::ranges::find(numbers, name, &OutcomeNumber::name);
  EXPECT_NE(found, numbers.end()) << name;
  return found == numbers.end() ? 0 : found->value;
}

TEST(RunOutcome, IsTheLastValueOfEachQuantityByTheViewsDefinitions) {
  test::SmallRun source(3);
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 1; step <= 10; ++step) {
    auto frame = source.frame(step, 3, {9, 2, 4});
    if (step == 4) source.add_evaluation(*frame, 5);
    if (step == 9) source.add_evaluation(*frame, 2);
    frames.push_back(frame);
  }
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames)});
  timeline.drain_all();
  const QueryFrame frame{timeline, run};
  const std::vector<OutcomeNumber> numbers = run_outcome(frame);
  EXPECT_EQ(value(numbers, "held-out loss"), 2);
  EXPECT_EQ(value(numbers, "perplexity"), std::exp(2.0));
  EXPECT_EQ(value(numbers, "bits per byte"), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(value(numbers, "theta")), 1.5f) << "half the sigmas; layer 0 apart";
  const DensityFacts facts = density_facts(frame, DensitySettings{}.layers);
  EXPECT_EQ(value(numbers, "direct density"), facts.now_direct);
  EXPECT_NEAR(value(numbers, "direct density"), 0.075, 1e-6);
  EXPECT_EQ(value(numbers, "fallback density"), facts.now_fallback);
  EXPECT_TRUE(std::ranges::none_of(numbers, [](const auto& number) {
    return number.name.starts_with("needle");
  })) << "the run records none";
}

TEST(RunOutcome, WhatWasNotEvaluatedIsNoNumber) {
  test::SmallRun source(2);
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, {source.frame(1)})});
  timeline.drain_all();
  EXPECT_TRUE(std::isnan(value(run_outcome({timeline, run}), "held-out loss")));
}

TEST(Spread, IsMeanAndDeviationOfASampleOfWhatIsFinite) {
  const std::vector<double> values = {2, std::nan(""), 4, 6};
  const Spread spread = spread_of(values);
  EXPECT_EQ(spread.count, 3u);
  EXPECT_EQ(spread.mean, 4);
  EXPECT_EQ(spread.deviation, 2);
  EXPECT_EQ(spread_in_words(spread), "4.0 ± 2.0");
  const std::vector<double> one = {2.5}, none = {std::nan("")}, same = {3, 3};
  EXPECT_TRUE(std::isnan(spread_of(one).deviation));
  EXPECT_EQ(spread_in_words(spread_of(one)), "2.5");
  EXPECT_EQ(spread_in_words(spread_of(none)), kAbsent);
  EXPECT_EQ(spread_in_words(spread_of(same)), "3 ± 0");
  const std::vector<double> below = {-0.4, -0.2};
  EXPECT_EQ(spread_in_words(spread_of(below)), "−0.30 ± 0.14");
}

}  // namespace
}  // namespace sparsescope::viz
