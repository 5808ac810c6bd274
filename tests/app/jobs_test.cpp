// Long work and what fails: said where it belongs, with a way on.
#include "tests/app/bench.h"

namespace sparsescope::test {
namespace {

TEST(Jobs, RunWithTheirShareAndAreRememberedWithTheirResult) {
  Bench bench;
  bench.draw(20);
  bench.host.scripted->evaluate(0.4);
  bench.draw(30);
  const frame::Jobs& jobs = bench.state().jobs;
  ASSERT_EQ(jobs.running().size(), 1u);
  EXPECT_EQ(jobs.running()[0].what, "Evaluating");
  EXPECT_DOUBLE_EQ(jobs.running()[0].fraction, 0.4);
  EXPECT_NEAR(jobs.running()[0].seconds, 0.5, 0.1);
  bench.host.scripted->evaluate(1);
  bench.draw(2);
  bench.host.scripted->go_on();
  bench.draw(2);
  EXPECT_TRUE(jobs.running().empty());
  ASSERT_EQ(jobs.history().size(), 1u);
  EXPECT_EQ(jobs.history()[0].result, "done");
  bench.run("window.jobs");
  EXPECT_TRUE(bench.state().show_jobs);
  bench.press(viz::chord_from_text("Escape"));
  EXPECT_FALSE(bench.state().show_jobs);
}

TEST(Jobs, ThatLastAnInstantAreNone) {
  Bench bench;
  bench.draw(20);
  bench.host.scripted->evaluate(0.5);
  bench.draw(1);
  bench.host.scripted->go_on();
  bench.draw(2);
  EXPECT_TRUE(bench.state().jobs.history().empty());
}

TEST(Jobs, AreCancelledByTheirCommand) {
  Bench bench;
  bench.draw(20);
  bench.host.scripted->evaluate(0.4);
  bench.draw(5);
  frame::cancel(bench.state(), bench.state().jobs.running()[0]);
  ASSERT_FALSE(bench.host.scripted->posted.empty());
  EXPECT_TRUE(std::holds_alternative<trace::CancelEvaluation>(bench.host.scripted->posted.back()));
}

TEST(FailedRun, SaysWhyAndIsBegunAgain) {
  Bench bench;
  bench.draw(5);
  EXPECT_EQ(bench.commands().why_disabled("run.retry"), "this run did not fail");
  bench.host.scripted->fail("the corpus is empty; name another one");
  bench.draw(5);
  EXPECT_EQ(frame::state_words(bench.state()).words, "Failed");
  const std::size_t runs = bench.timeline.runs().size();
  bench.run("run.retry");
  EXPECT_EQ(bench.timeline.runs().size(), runs + 1);
  EXPECT_EQ(frame::state_words(bench.state()).words, "Training");
}

}  // namespace
}  // namespace sparsescope::test
