#include "viz/model/run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::SmallRun;

viz::Run fed(SmallRun& source, std::uint64_t steps) {
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  for (std::uint64_t step = 0; step < steps; ++step)
    run.take(source.frame(step, 8 - static_cast<double>(step) * 0.01));
  return run;
}

TEST(Run, KeepsEverySampleOfLightChannels) {
  SmallRun source;
  const viz::Run run = fed(source, 100);
  EXPECT_EQ(run.rows(), 100u);
  EXPECT_EQ(run.newest_step(), 99u);
  const Series* loss = run.series("scalars", {"cross_entropy"});
  ASSERT_NE(loss, nullptr);
  ASSERT_EQ(loss->size(), 100u);
  EXPECT_DOUBLE_EQ(loss->at(42), 8 - 0.42);
  EXPECT_EQ(run.series("threshold", {"2", "theta_sigmas"})->at(0), 3);
  EXPECT_EQ(run.series("threshold", {"3", "theta_sigmas"}), nullptr);
  EXPECT_EQ(run.series("threshold", {"2", "sigma"}), nullptr);
  EXPECT_EQ(run.series("map", {"0"}), nullptr) << "heavy channels have no history";
  EXPECT_EQ(run.title(), "small run, seed 7");
  EXPECT_EQ(run.planned_steps(), 1000u);
  EXPECT_EQ(run.tokens_per_step(), 100);
  EXPECT_TRUE(run.problem().empty());
}

TEST(Run, FindsRowsAndSamplesByStep) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  for (std::uint64_t step : {0, 10, 10, 20, 30}) {
    auto frame = source.frame(step);
    if (step == 10 || step == 30) source.add_evaluation(*frame, 3);
    run.take(frame);
  }
  EXPECT_EQ(run.row_at_or_before(9), 0u);
  EXPECT_EQ(run.row_at_or_before(10), 2u) << "of several frames of a step the last";
  EXPECT_EQ(run.row_at_or_before(1000), 4u);
  const Track& evaluation = *run.track("evaluation");
  EXPECT_EQ(evaluation.size(), 3u);
  EXPECT_EQ(run.sample_at_or_before(evaluation, 9), std::nullopt);
  EXPECT_EQ(run.sample_at_or_before(evaluation, 29), 1u);
  EXPECT_EQ(run.nearest_sample(evaluation, 0), 0u);
  EXPECT_EQ(run.nearest_sample(evaluation, 19), 1u);
  EXPECT_EQ(run.nearest_sample(evaluation, 21), 2u);
  EXPECT_EQ(run.nearest_sample(evaluation, 99), 2u);
  EXPECT_EQ(run.first_due_step(run.schema()->channels[evaluation.channel]), 50u);
}

TEST(Run, EveryAxisPutsRowsWhereTheyBelong) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  for (std::uint64_t step = 100; step < 200; step += 10) run.take(source.frame(step));
  EXPECT_EQ(run.x(3, TimeAxis::Step), 130);
  EXPECT_EQ(run.x(3, TimeAxis::Tokens), 13'000);
  EXPECT_DOUBLE_EQ(run.x(3, TimeAxis::WallTime), 1.3);
  EXPECT_EQ(run.x(3, TimeAxis::RelativeStep), 30);
  for (TimeAxis axis : {TimeAxis::Step, TimeAxis::Tokens, TimeAxis::WallTime, TimeAxis::RelativeStep}) {
    for (std::size_t row = 0; row < run.rows(); ++row) {
      EXPECT_EQ(run.step_at(run.x(row, axis), axis), run.row(row).step);
      EXPECT_DOUBLE_EQ(run.x_of_step(run.row(row).step, axis), run.x(row, axis));
    }
    EXPECT_EQ(run.step_at(-1, axis), 100u);
    EXPECT_EQ(run.step_at(1e9, axis), 190u);
  }
  EXPECT_DOUBLE_EQ(run.x_of_step(135, TimeAxis::Tokens), 13'500);
}

TEST(Run, RefusesFramesOutOfOrderAndSaysSo) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.frame(0));
  EXPECT_EQ(run.rows(), 0u);
  EXPECT_NE(run.problem().find("before the schema"), std::string::npos);

  SmallRun second;
  viz::Run late(0, nullptr, 1 << 20);
  late.take(second.schema);
  const auto first = second.frame(5);
  late.take(first);
  late.take(first);
  EXPECT_EQ(late.rows(), 1u);
  EXPECT_NE(late.problem().find("twice"), std::string::npos);

  SmallRun third;
  viz::Run back(0, nullptr, 1 << 20);
  back.take(third.schema);
  back.take(third.frame(5));
  back.take(third.frame(4));
  EXPECT_EQ(back.rows(), 1u);
  EXPECT_NE(back.problem().find("earlier step"), std::string::npos);
  back.take(test::finished());
  back.take(third.frame(6));
  EXPECT_EQ(back.rows(), 1u);
}

TEST(Run, ASampleOfTheWrongSizeIsRefusedAndSaid) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  auto frame = source.frame(0);
  frame->data[1].bytes.resize(4);
  run.take(trace::FramePtr(frame));
  EXPECT_EQ(run.track("threshold")->size(), 0u);
  EXPECT_EQ(run.track("scalars")->size(), 1u);
  EXPECT_NE(run.problem().find("another size"), std::string::npos);
}

TEST(Run, MissingFramesBecomeGaps) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  source.next_row = 3;
  run.take(source.frame(30));
  run.take(source.frame(40));
  source.next_row = 12;
  run.take(source.frame(120));
  auto marked = source.frame(130);
  marked->flags = trace::kFlagAfterGap;
  run.take(trace::FramePtr(marked));
  ASSERT_EQ(run.gaps().size(), 3u);
  EXPECT_EQ(run.gaps()[0].frames, 3u);
  EXPECT_EQ(run.gaps()[1].frames, 7u);
  EXPECT_EQ(run.gaps()[1].first_step, 40u);
  EXPECT_EQ(run.gaps()[1].last_step, 120u);
  EXPECT_EQ(run.gaps()[2].frames, 0u) << "the recording does not say how many";
}

TEST(Run, EventsAreReadFromTheirChannel) {
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  const auto event_at = [&](std::uint64_t step, const std::string& json) {
    auto frame = source.frame(step);
    source.add_event(*frame, json);
    run.take(trace::FramePtr(frame));
  };
  event_at(1, R"({"step":1,"kind":"command","command":"set","name":"sparsity_weight","old":0.0,"new":0.1})");
  event_at(2, R"({"step":2,"kind":"command","command":"pause","old":"training","new":"paused"})");
  event_at(3, R"({"step":3,"kind":"command","command":"pause_at","old":0,"new":300})");
  event_at(4, R"({"step":4,"kind":"warning","what":"command refused","text":"cannot pause at step 2"})");
  event_at(5, "no json");
  event_at(6, R"(["also", "none"])");
  ASSERT_EQ(run.events().size(), 6u);
  EXPECT_EQ(run.events()[0].words, "sparsity weight 0 → 0.1");
  EXPECT_EQ(run.events()[0].kind, "command");
  EXPECT_EQ(run.events()[1].words, "pause");
  EXPECT_EQ(run.events()[2].words, "pause at 300");
  EXPECT_EQ(run.events()[3].words, "cannot pause at step 2");
  EXPECT_EQ(run.events()[4].kind, "unreadable");
  EXPECT_EQ(run.events()[5].kind, "unreadable");
  EXPECT_EQ(run.events()[5].step, 6u);
}

TEST(Run, HeavyRowsComeFromThePassingFrameOrFromTheSource) {
  SmallRun source;
  auto rows = std::make_shared<test::ManualSource>();
  viz::Run run(0, rows, 3 * test::kMapValues * sizeof(float));
  run.take(source.schema);
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step <= 40; step += 10) {
    auto frame = source.frame(step);
    source.add_map(*frame, static_cast<float>(step));
    frames.push_back(frame);
    run.take(frames.back());
  }
  const viz::Run::Heavy newest = run.heavy("map", 47);
  ASSERT_EQ(newest.state, RowCache::State::Ready);
  EXPECT_EQ(newest.step, 40u) << "the latest sample at or before the step";
  EXPECT_EQ(trace::values_as<float>(*newest.data)[0], 40);
  EXPECT_TRUE(rows->asked.empty());

  viz::Run::Heavy oldest = run.heavy("map", 5);
  EXPECT_EQ(oldest.state, RowCache::State::Loading);
  EXPECT_EQ(oldest.step, 0u);
  EXPECT_TRUE(run.is_busy());
  rows->answer(rows->asked.at(0).tag, frames[0]);
  const std::uint64_t before = run.version();
  EXPECT_TRUE(run.poll());
  EXPECT_GT(run.version(), before);
  oldest = run.heavy("map", 5);
  ASSERT_EQ(oldest.state, RowCache::State::Ready);
  EXPECT_EQ(trace::values_as<float>(*oldest.data)[0], 0);
  EXPECT_EQ(run.heavy("nothing", 5).state, RowCache::State::Missing);
  EXPECT_LE(run.cache().bytes(), 3 * test::kMapValues * sizeof(float));
}

TEST(Run, AWholeRowOfALightChannelIsAtHandWithoutASource) {
  SmallRun source;
  viz::Run run = fed(source, 20);
  const viz::Run::Heavy row = run.heavy("threshold", 7);
  ASSERT_EQ(row.state, RowCache::State::Ready) << row.message;
  EXPECT_EQ(row.step, 7u);
  SmallRun again;
  trace::FramePtr sent;
  for (int step = 0; step <= 7; ++step) sent = again.frame(static_cast<std::uint64_t>(step), 3);
  EXPECT_EQ(row.data->bytes, sent->find(1)->bytes) << "bit for bit what was sent";
}

TEST(Run, AReplayedFrameWithoutItsHeavyPartStillHasTheSample) {
  SmallRun source;
  auto rows = std::make_shared<test::ManualSource>();
  viz::Run run(0, rows, 1 << 20);
  run.take(source.schema);
  auto frame = source.frame(10);
  source.add_map(*frame, 1);
  frame->data.pop_back();
  run.take(trace::FramePtr(frame));
  EXPECT_EQ(run.track("map")->size(), 1u);
  EXPECT_EQ(run.heavy("map", 10).state, RowCache::State::Loading);
}

TEST(Run, SmoothingIsCaughtUpAndKeepsPace) {
  SmallRun source;
  viz::Run run = fed(source, 50);
  const Track& track = *run.track("scalars");
  Smoother expected(5);
  double last = 0;
  for (std::size_t i = 0; i < 50; ++i) last = expected.add(run.series(track, 0)->at(i));
  EXPECT_EQ(run.smoothed(track, 0, 5).size(), 50u);
  EXPECT_NEAR(run.smoothed(track, 0, 5).at(49), last, 1e-6);
  run.take(source.frame(50, 1.0));
  EXPECT_EQ(run.smoothed(track, 0, 5).size(), 51u);
  EXPECT_NEAR(run.smoothed(track, 0, 5).at(50), expected.add(1.0), 1e-6);
  EXPECT_FALSE(run.is_busy());
  // More windows than are kept: the first is computed anew and is the same.
  for (double window : {2.0, 3.0, 4.0, 6.0}) run.smoothed(track, 0, window);
  EXPECT_NEAR(run.smoothed(track, 0, 5).at(49), last, 1e-6);
}

TEST(Run, HistoryStaysWithinItsBudgetAndKeepsTheNewest) {
  SmallRun source;
  viz::Run run = fed(source, 50'000);
  const std::size_t full = run.history_bytes();
  const Bucket before = run.series("scalars", {"cross_entropy"})->fold(0, 50'000);
  run.thin_history(full * 2 / 3);
  EXPECT_LE(run.history_bytes(), full * 2 / 3);
  const Series& loss = *run.series("scalars", {"cross_entropy"});
  EXPECT_FALSE(std::isnan(loss.at(49'999)));
  EXPECT_TRUE(std::isnan(loss.at(0)));
  EXPECT_EQ(loss.fold(0, 50'000), before);
}

TEST(Run, PutsLongEventsTogetherFromTheirPayload) {
  const std::string whole = R"({"step":7,"kind":"note","text":"long"})";
  const std::string element = R"({"step":7,"kind":"note","payload_row":3,"payload_begin":2,"payload_end":)" +
                              std::to_string(2 + whole.size()) + "}";
  EXPECT_EQ(whole_event(element, "xx" + whole + "yy"), whole);
  EXPECT_EQ(whole_event(element, "short"), element) << "bytes that are not there leave the element as it is";
  EXPECT_EQ(whole_event(whole, "xx"), whole);
  EXPECT_EQ(event_from_json(whole_event(element, "xx" + whole), 7, 0).words, "long");
}

}  // namespace
}  // namespace sparsescope::viz
