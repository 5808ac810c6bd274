// The timeline's queries: folding by counts, lanes, density, charts and what is missing.
#include "viz/model/time_tracks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "tests/viz/viz_support.h"
#include "viz/model/time_twin.h"

namespace sparsescope::viz {
namespace {

// The rule in its slow form: walk all items, begin a mark wherever one is `fold` or more behind the last
// mark's first.
std::vector<FoldedMark> folded_slowly(const std::vector<double>& xs, const Range& shown, double fold) {
  std::vector<FoldedMark> marks;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i] < shown.minimum || xs[i] > shown.maximum) continue;
    if (marks.empty() || xs[i] >= marks.back().x + fold || fold <= 0) {
      marks.push_back({i, i + 1, xs[i], xs[i]});
    } else {
      marks.back().end = i + 1;
      marks.back().last_x = xs[i];
    }
  }
  return marks;
}

TEST(FoldMarks, EqualsTheSlowRuleForEveryRangeAndWidth) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> xs(random() % 60);
    for (double& x : xs) x = static_cast<double>(random() % 100);
    std::sort(xs.begin(), xs.end());
    const double first = static_cast<double>(random() % 90);
    const Range shown{first, first + 1 + static_cast<double>(random() % 60)};
    const double fold = static_cast<double>(random() % 12);
    EXPECT_EQ(fold_marks(
                  xs.size(), [&](std::size_t i) { return xs[i]; }, shown, fold),
              folded_slowly(xs, shown, fold));
  }
}

TEST(FoldMarks, TenMillionItemsBecomeAtMostOneMarkEveryThreePixelsAndAreNotScanned) {
  constexpr std::size_t kItems = 10'000'000;
  constexpr double kPixels = 1200;
  std::size_t asked = 0;
  const auto x_of = [&](std::size_t i) {
    ++asked;
    return static_cast<double>(i);
  };
  const Range shown{1e6, 9e6};
  const std::vector<FoldedMark> marks =
      fold_marks(kItems, x_of, shown, kFoldPixels * shown.width() / kPixels);
  EXPECT_LE(marks.size(), kPixels / kFoldPixels + 1);
  const std::size_t counted =
      std::accumulate(marks.begin(), marks.end(), std::size_t{0},
                      [](std::size_t sum, const FoldedMark& m) { return sum + m.count(); });
  EXPECT_EQ(counted, 8'000'001u) << "every item in the range is counted once";
  EXPECT_LT(asked, 30 * marks.size() + 100);
}

// A run of `steps` steps with an event of each kind now and then.
struct EventfulRun {
  test::SmallRun maker;
  Timeline timeline;
  Run* run = nullptr;

  explicit EventfulRun(std::uint64_t steps) {
    std::vector<trace::FramePtr> frames;
    const char* kinds[] = {"command", "evaluation", "checkpoint", "alert", "note"};
    for (std::uint64_t step = 0; step < steps; ++step) {
      auto frame = maker.frame(step, 5 - 0.01 * static_cast<double>(step), {1, 2, 6});
      if (step % 7 == 0) maker.add_event(*frame, std::string(R"({"kind":")") + kinds[step / 7 % 5] + R"("})");
      frames.push_back(std::move(frame));
    }
    Feed feed;
    feed.mailbox = test::mailbox_with(maker.schema, frames);
    run = &timeline.add_run(std::move(feed));
    timeline.drain_all();
  }
};

TEST(EventLanes, EveryEventStandsInExactlyOneLane) {
  EventfulRun eventful(200);
  EventLanes lanes;
  lanes.update(*eventful.run);
  lanes.update(*eventful.run);
  std::vector<std::uint32_t> all;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto& items = lanes.of(static_cast<Lane>(lane));
    EXPECT_FALSE(items.empty()) << lane_name(static_cast<Lane>(lane));
    all.insert(all.end(), items.begin(), items.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), eventful.run->events().size());
  for (std::uint32_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i);
}

TEST(EventDensity, CountsEveryEventOfTheRangeOnceOnEveryAxis) {
  EventfulRun eventful(200);
  for (const TimeAxis axis : {TimeAxis::Step, TimeAxis::Tokens, TimeAxis::WallTime, TimeAxis::RelativeStep}) {
    const Range whole{eventful.run->x(0, axis), eventful.run->x(eventful.run->rows() - 1, axis)};
    for (const std::size_t bins : {1u, 3u, 50u, 999u}) {
      const std::vector<std::size_t> counts = event_density(*eventful.run, axis, whole, bins);
      ASSERT_EQ(counts.size(), bins);
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::size_t{0}), eventful.run->events().size());
    }
  }
}

TEST(Chart, OfAMeanIsTheMeanOverTheFirstAxis) {
  EventfulRun eventful(50);
  const ChartChoice theta{"threshold", {"theta"}, true};
  const Chart chart = chart_of(*eventful.run, theta, TimeAxis::Step, {0, 49}, 400, 20);
  ASSERT_TRUE(chart.is_recorded);
  ASSERT_EQ(chart.points.size(), 50u);
  EXPECT_DOUBLE_EQ(*chart.present, 1.5) << "(1 + 2 + 6) / 2 / 3";
  for (const ChartPoint& point : chart.points) EXPECT_DOUBLE_EQ(point.value, 1.5);
}

TEST(Chart, HasAtMostOnePointAColumnAndReachesTheBorders) {
  EventfulRun eventful(500);
  const ChartChoice loss{"scalars", {"cross_entropy"}, false};
  for (const std::size_t columns : {1u, 16u, 100u, 2000u}) {
    const Chart chart = chart_of(*eventful.run, loss, TimeAxis::Step, {100.5, 300.5}, columns, 200);
    ASSERT_FALSE(chart.points.empty());
    EXPECT_LE(chart.points.size(), columns);
    EXPECT_GE(chart.points.back().x, 300.5);
    EXPECT_NEAR(*chart.present, 3, 1e-9);
    for (const ChartPoint& point : chart.points) {
      EXPECT_LE(point.minimum, point.value);
      EXPECT_GE(point.maximum, point.value);
      EXPECT_GE(point.minimum, chart.values.minimum);
      EXPECT_LE(point.maximum, chart.values.maximum);
    }
  }
}

TEST(Chart, OfWhatTheRunDoesNotRecordSaysSo) {
  EventfulRun eventful(5);
  for (const ChartChoice& choice :
       {ChartChoice{"nothing", {"x"}, false}, ChartChoice{"scalars", {"nothing"}, false},
        ChartChoice{"threshold", {"nothing"}, true}})
    EXPECT_FALSE(chart_of(*eventful.run, choice, TimeAxis::Step, {0, 5}, 10, 3).is_recorded);
}

TEST(Chart, EveryChoiceOfARunCanBeDrawnAndIsNamedApart) {
  EventfulRun eventful(60);
  const std::vector<ChartChoice> choices = chart_choices(*eventful.run);
  EXPECT_GE(choices.size(), 20u);
  std::vector<std::string> names;
  for (const ChartChoice& choice : choices) {
    EXPECT_TRUE(chart_of(*eventful.run, choice, TimeAxis::Step, {0, 60}, 10, 59).is_recorded)
        << words_of(choice);
    names.push_back(choice.channel + ": " + words_of(choice));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  const std::vector<ChartChoice> defaults = default_charts(*eventful.run);
  ASSERT_EQ(defaults.size(), 2u);
  for (const ChartChoice& choice : defaults)
    EXPECT_NE(std::find(choices.begin(), choices.end(), choice), choices.end());
}

TEST(TimeTwin, HasARowForEveryMarkInWhatIsShownAndCountsTheOthers) {
  EventfulRun eventful(200);
  Annotations annotations;
  annotations.mark(70, 4, "before");
  annotations.write_note(150, "after");
  const std::size_t all = eventful.run->events().size() + 2;
  const Twin whole = twin_of_time(eventful.timeline, *eventful.run, &annotations);
  EXPECT_EQ(whole.table.rows.size(), all);
  const auto bookmark = std::find_if(whole.table.rows.begin(), whole.table.rows.end(),
                                     [](const auto& row) { return row[2] == "bookmark 4"; });
  ASSERT_NE(bookmark, whole.table.rows.end());
  EXPECT_EQ((*bookmark)[0], "70");
  EXPECT_EQ((*bookmark)[3], "before");
  eventful.timeline.window().choose({60, 80});
  const Twin part = twin_of_time(eventful.timeline, *eventful.run, &annotations);
  EXPECT_EQ(part.table.rows.size(), 4u) << "events of steps 63, 70 and 77, and the bookmark";
  EXPECT_EQ(part.lines.back(), std::to_string(all - 4) + " marks lie outside of what is shown");
}

TEST(MissingSpans, NameTheFramesThatWereSkippedAndTheEndThatWasLost) {
  test::SmallRun maker(3, 100);
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < 20; ++step) {
    auto frame = maker.frame(step);
    if (step >= 5 && step < 8) continue;  // three frames never come
    frames.push_back(std::move(frame));
  }
  Timeline timeline;
  Feed feed;
  feed.mailbox = test::mailbox_with(maker.schema, frames);
  feed.mailbox->on_end({trace::RunStatus::Unclosed, "its first 17 frames are shown"});
  viz::Run& run = timeline.add_run(std::move(feed));
  timeline.drain_all();
  const std::vector<MissingSpan> spans = missing_spans(run, TimeAxis::Step);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].kind, MissingSpan::Kind::Skipped);
  EXPECT_EQ(spans[0].first, 4);
  EXPECT_EQ(spans[0].last, 8);
  EXPECT_NE(spans[0].words.find("3 frames"), std::string::npos) << spans[0].words;
  EXPECT_EQ(spans[1].kind, MissingSpan::Kind::Damaged);
  EXPECT_EQ(spans[1].first, 19);
  EXPECT_EQ(spans[1].last, 100);
  EXPECT_EQ(spans[1].words, "its first 17 frames are shown");
}

TEST(MissingSpans, NeighboursNearerThanThreePixelsAreOneThatCountsTheOthers) {
  std::vector<MissingSpan> spans;
  for (int i = 0; i < 1000; ++i)
    spans.push_back({MissingSpan::Kind::Skipped, i * 10.0, i * 10.0 + 2, "here"});
  spans.push_back({MissingSpan::Kind::Damaged, 10'000, 10'010, "the end"});
  EXPECT_EQ(fold_spans(spans, 5).size(), 1001u) << "eight apart";
  const std::vector<MissingSpan> folded = fold_spans(spans, 9);
  ASSERT_EQ(folded.size(), 2u);
  EXPECT_EQ(folded[0].first, 0);
  EXPECT_EQ(folded[0].last, 9992);
  EXPECT_EQ(folded[0].words, "here, and 999 more such places");
  EXPECT_EQ(folded[1].words, "the end");
}

TEST(MissingSpans, ARunThatEndedWellMissesNothing) {
  EventfulRun eventful(20);
  EXPECT_TRUE(missing_spans(*eventful.run, TimeAxis::Step).empty());
}

}  // namespace
}  // namespace sparsescope::viz
