#include "viz/model/timeline.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/trace/synthetic_source.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::SmallRun;

TEST(Timeline, HoldsManyRunsByIdAndUuid) {
  SmallRun source;
  Timeline timeline;
  EXPECT_EQ(timeline.current({}), nullptr);
  const std::uint32_t first = timeline.add_run({test::mailbox_with(source.schema, {source.frame(0)})}).id();
  auto other = std::make_shared<trace::Schema>(*source.schema);
  other->run_uuid = "other";
  const std::uint32_t second = timeline.add_run({test::mailbox_with(other, {})}).id();
  timeline.drain_all();
  EXPECT_EQ(timeline.find("other")->id(), second);
  EXPECT_EQ(timeline.find(""), nullptr) << "a run whose schema has not come has no uuid yet";
  EXPECT_EQ(timeline.current(second)->id(), second);
  EXPECT_EQ(timeline.current(99)->id(), first);
  timeline.remove_run(first);
  EXPECT_EQ(timeline.find(first), nullptr);
  EXPECT_EQ(timeline.current({})->id(), second);
  EXPECT_GT(timeline.add_run({std::make_shared<trace::Mailbox>(1, trace::Overflow::Block)}).id(), second)
      << "ids are never used again";
}

TEST(Timeline, DropsShownAreFramesSentLessFramesKept) {
  SmallRun source;
  auto mailbox = std::make_shared<trace::Mailbox>(20'000, trace::Overflow::DropOldest);
  Timeline timeline;
  viz::Run& run = timeline.add_run({mailbox});
  mailbox->on_schema(source.schema);
  std::uint64_t sent = 0;
  std::mt19937_64 random(1);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t burst = random() % 120;
    for (std::uint64_t i = 0; i < burst; ++i) mailbox->on_frame(source.frame(sent++));
    timeline.drain_all();
    EXPECT_EQ(run.dropped(), sent - run.rows());
  }
  EXPECT_GT(run.dropped(), 0u);
  std::uint64_t missing = 0;
  for (const Gap& gap : run.gaps()) missing += gap.frames;
  EXPECT_EQ(missing, run.dropped()) << "every dropped frame lies in a gap that is drawn";
}

TEST(Timeline, ATimeBudgetLeavesTheRestForTheNextFrame) {
  SmallRun source;
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < 20'000; ++step) frames.push_back(source.frame(step));
  TimelineBudget budget;
  budget.drain_nanos = 200'000;
  Timeline timeline(budget);
  auto mailbox = test::mailbox_with(source.schema, frames);
  viz::Run& run = timeline.add_run({mailbox});
  timeline.update(0);
  EXPECT_LT(run.rows(), 20'000u);
  EXPECT_GT(timeline.pending(), 0u);
  EXPECT_TRUE(timeline.is_busy());
  int updates = 1;
  while (timeline.pending() > 0 && updates < 100'000) {
    timeline.update(0);
    ++updates;
  }
  EXPECT_EQ(run.rows(), 20'000u);
  EXPECT_GT(updates, 3);
  EXPECT_FALSE(timeline.is_busy());
}

TEST(Timeline, AnUpdateSaysWhetherAnythingChanged) {
  SmallRun source;
  auto mailbox = test::mailbox_with(source.schema, {source.frame(0)});
  Timeline timeline;
  timeline.add_run({mailbox});
  const std::uint64_t before = timeline.version();
  EXPECT_TRUE(timeline.update(0));
  EXPECT_GT(timeline.version(), before);
  EXPECT_FALSE(timeline.update(0)) << "nothing came, nothing moves";
  mailbox->on_end(test::finished());
  EXPECT_TRUE(timeline.update(0));
}

TEST(Timeline, NewDataNeverMovesAChosenRange) {
  SmallRun source;
  auto mailbox = test::mailbox_with(source.schema, {source.frame(0), source.frame(10)});
  Timeline timeline;
  timeline.add_run({mailbox});
  timeline.drain_all();
  EXPECT_EQ(timeline.visible(), (Range{0, 1000})) << "the planned end";
  timeline.window().choose({2, 7});
  for (std::uint64_t step = 20; step < 3000; step += 10) mailbox->on_frame(source.frame(step));
  timeline.drain_all();
  EXPECT_EQ(timeline.visible(), (Range{2, 7}));
  timeline.window().fit();
  EXPECT_EQ(timeline.visible(), (Range{0, 2990}));
  timeline.window().choose({5, 5});
  EXPECT_FALSE(timeline.window().chosen().has_value()) << "an empty range is no choice";
  timeline.window().choose({5, 6});
  timeline.window().set_axis(TimeAxis::Tokens);
  EXPECT_FALSE(timeline.window().chosen().has_value()) << "steps are no tokens";
  EXPECT_EQ(timeline.visible(), (Range{0, 299'000}));
}

TEST(Timeline, AnEndedRunIsShownToItsLastStep) {
  SmallRun source;
  auto mailbox = test::mailbox_with(source.schema, {source.frame(0), source.frame(10)});
  mailbox->on_end(test::finished());
  Timeline timeline;
  timeline.add_run({mailbox});
  timeline.drain_all();
  EXPECT_EQ(timeline.visible(), (Range{0, 10}));
}

TEST(Timeline, HoldsAWholeSyntheticRun) {
  trace::SyntheticOptions options;
  options.frames = 600;
  const trace::SyntheticSource source(options);
  auto mailbox = std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
  source.run(*mailbox);
  TimelineBudget budget;
  budget.heavy_bytes = 1 << 20;
  Timeline timeline(budget);
  viz::Run& run = timeline.add_run({mailbox});
  timeline.drain_all();
  EXPECT_EQ(run.rows(), 600u);
  EXPECT_TRUE(run.problem().empty()) << run.problem();
  EXPECT_TRUE(run.gaps().empty());
  EXPECT_EQ(run.end()->status, trace::RunStatus::Finished);
  EXPECT_FALSE(run.events().empty());
  EXPECT_LE(run.cache().bytes(), budget.heavy_bytes);
  for (std::uint64_t row : {0u, 17u, 599u}) {
    const trace::FramePtr frame = source.frame(row);
    const auto values = trace::values_as<double>(*frame->find(run.schema()->find("scalars")->id));
    const Track& track = *run.track("scalars");
    const std::size_t sample = *run.sample_at_or_before(track, frame->step);
    EXPECT_EQ(run.series(track, 0)->at(sample), values[0]) << "row " << row;
  }
}

TEST(Timeline, AScrubOverAReplayAsksOnlyForTheNewestPlace) {
  SmallRun source;
  auto rows = std::make_shared<test::ManualSource>();
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < 500; step += 10) {
    auto frame = source.frame(step);
    source.add_map(*frame, static_cast<float>(step));
    frame->data.pop_back();  // a recording sends light channels only
    frames.push_back(frame);
  }
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames), rows});
  timeline.drain_all();
  for (std::uint64_t step = 0; step < 500; step += 10) {
    timeline.cursor().seek(step);
    run.heavy("map", timeline.cursor().step());
    timeline.update(1.0 / 60);
  }
  EXPECT_EQ(rows->asked.size(), 50u);
  EXPECT_EQ(rows->cancelled.size(), 49u);
  rows->answer(rows->asked.back().tag, [&] {
    auto frame = std::make_shared<trace::Frame>(*frames.back());
    source.add_map(*frame, 490);
    return frame;
  }());
  EXPECT_TRUE(timeline.update(0));
  EXPECT_EQ(run.heavy("map", 499).state, RowCache::State::Ready);
}

TEST(Timeline, AClosedRunIsReopenedWhereItWasWithWhatCameMeanwhile) {
  test::SmallRun source;
  Timeline timeline;
  std::vector<std::shared_ptr<trace::Mailbox>> boxes;
  for (int i = 0; i < 3; ++i) {
    trace::Schema schema = *source.schema;
    schema.run_uuid[0] = static_cast<char>('a' + i);
    source.next_row = 0;
    boxes.push_back(test::mailbox_with(std::make_shared<const trace::Schema>(schema), {source.frame(0)}));
    timeline.add_run({boxes.back()});
  }
  timeline.drain_all();
  timeline.close_run(1);
  ASSERT_EQ(timeline.runs().size(), 2u);
  EXPECT_EQ(timeline.find(1), nullptr);
  EXPECT_EQ(timeline.closed_runs(), std::vector<std::uint32_t>{1});
  boxes[1]->on_frame(source.frame(7));
  timeline.update(0.01);
  EXPECT_TRUE(timeline.reopen_run(1));
  ASSERT_EQ(timeline.runs().size(), 3u);
  EXPECT_EQ(timeline.runs()[1]->id(), 1u);
  EXPECT_EQ(timeline.runs()[1]->newest_step(), 7u);
  EXPECT_FALSE(timeline.reopen_run(1)) << "it is open";
}

TEST(Timeline, KeepsOnlyTheRunsThatWereClosedLast) {
  test::SmallRun source;
  Timeline timeline;
  for (std::size_t i = 0; i < kMostClosedRuns + 2; ++i)
    timeline.add_run({test::mailbox_with(source.schema, {})});
  for (std::uint32_t id = 0; id < kMostClosedRuns + 2; ++id) timeline.close_run(id);
  EXPECT_EQ(timeline.closed_runs().size(), kMostClosedRuns);
  EXPECT_FALSE(timeline.reopen_run(1));
  EXPECT_TRUE(timeline.reopen_run(2));
}

}  // namespace
}  // namespace sparsescope::viz
