// What the routing graph says of a run, held to the formulas behind it; and that nothing is ever lost between
// visible and hidden.
#include "viz/model/routing_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include "engine/trace/error.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/routing_content.h"
#include "viz/model/routing_words.h"

namespace sparsescope::viz {
namespace {

using test::SparkOptions;
using test::SparkRun;

struct Graph {
  explicit Graph(SparkOptions options = {}) : source(options) {}
  void feed(std::uint64_t first, std::uint64_t last) {
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = first; step <= last; ++step) frames.push_back(source.frame(step));
    add(frames);
  }
  void add(const std::vector<trace::FramePtr>& frames, std::shared_ptr<trace::RowSource> rows = nullptr) {
    timeline.add_run({test::mailbox_with(source.schema, frames), std::move(rows)});
    timeline.drain_all();
  }
  RoutingPicture ask(std::uint64_t step, const RoutingSettings& settings = {},
                     const RoutingWindow& window = {}, RoutingWork work = RoutingWork::Here) {
    timeline.cursor().seek(step);
    QueryFrame frame{timeline, *timeline.runs().front()};
    frame.locked = locked;
    frame.comparison = comparison;
    return routing_query(frame, settings, window, memory, work);
  }
  // Asks again until nothing is summed any more.
  RoutingPicture wait_for(std::uint64_t step, const RoutingSettings& settings, const RoutingWindow& window) {
    for (int i = 0; i < 5000; ++i) {
      timeline.update(0);
      RoutingPicture picture = ask(step, settings, window, RoutingWork::AsideWhenLarge);
      if (!timeline.is_busy()) return picture;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "it never ends";
    return {};
  }
  SparkRun source;
  Timeline timeline;
  Marks locked;
  Comparison comparison;
  RoutingMemory memory;
};

RoutingSettings all_layers() {
  RoutingSettings settings;
  settings.layout = RoutingLayout::Bands;
  return settings;
}

using PairKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, RoutingReason>;

std::set<PairKey> keys_of(const RoutingPairs& pairs) {
  std::set<PairKey> keys;
  for (const RoutingPair& pair : pairs.pairs)
    EXPECT_TRUE(keys.emplace(pair.layer, pair.query, pair.key, pair.reason).second);
  return keys;
}

const trace::ChannelData& part_of(const SparkRun& source, const trace::Frame& frame, const char* channel) {
  return *frame.find(source.schema->find(channel)->id);
}

TEST(RoutingQuery, AtARecordedStepTheMarksAreTheEdgesOfTheRun) {
  Graph graph;
  graph.feed(0, 60);
  const RoutingPicture picture = graph.ask(40, all_layers());
  ASSERT_EQ(picture.state, PictureState::Ready);
  EXPECT_EQ(picture.step, 40u);
  EXPECT_TRUE(picture.source.empty());
  std::map<std::tuple<int, int, int>, const RoutingMark*> marks;
  for (const RoutingMark& mark : picture.content->marks)
    marks[{mark.layer, static_cast<int>(mark.query), static_cast<int>(mark.key)}] = &mark;
  const std::int64_t T = graph.source.options().positions;
  std::size_t expected = 0;
  for (std::int64_t layer = 0; layer < graph.source.options().layers; ++layer) {
    const auto reasons = graph.source.reasons(40, layer);
    const auto weights = graph.source.weights(40, layer);
    for (std::int64_t t = 0; t < T; ++t) {
      for (std::int64_t p = 0; p <= t; ++p) {
        const auto at = static_cast<std::size_t>(t * T + p);
        if (reasons[at] == 0) continue;
        ++expected;
        const auto found = marks.find({static_cast<int>(layer), static_cast<int>(t), static_cast<int>(p)});
        ASSERT_NE(found, marks.end());
        EXPECT_EQ(found->second->sums.mass, fixed_from_weight(weights[at]));
        EXPECT_EQ(found->second->reason, foremost_reason(reasons[at]));
      }
    }
  }
  EXPECT_EQ(marks.size(), expected);
}

TEST(RoutingQuery, ScopesRebuiltFromDeclarationsAreTheRecordedOnes) {
  for (const bool inheritance : {false, true}) {
    for (const bool fallback : {false, true}) {
      for (const std::int64_t positions : {7, 24, 61}) {
        SparkOptions options;
        options.inheritance = inheritance;
        options.fallback = fallback;
        options.positions = positions;
        SparkRun source(options);
        const auto frame = source.frame(0);
        const RecordedPairs recorded = routing_pairs_from_edges(
            *source.schema->find("edges"), part_of(source, *frame, "edges"), options.layers, positions, {});
        const RoutingPairs rebuilt =
            routing_pairs_from_declared(*source.schema->find("declared"), part_of(source, *frame, "declared"),
                                        source.ids(), scope_rules(source.schema->experiment_json));
        EXPECT_EQ(keys_of(recorded.pairs), keys_of(rebuilt)) << inheritance << fallback << positions;
        EXPECT_EQ(recorded.pairs.recorded.pairs, rebuilt.recorded.pairs);
        EXPECT_FALSE(rebuilt.has_weights);
      }
    }
  }
}

TEST(RoutingQuery, BetweenRecordedStepsScopesStandInAndSaySo) {
  Graph graph;
  graph.feed(0, 60);
  const RoutingPicture picture = graph.ask(35);
  EXPECT_EQ(picture.step, 30u);
  EXPECT_EQ(picture.source, "Scopes without weights from step 30; edges recorded at step 20");
  EXPECT_EQ(picture.weights_at, 20u);
  EXPECT_FALSE(picture.content->has_weights);
  EXPECT_NE(picture.detail.find("without weights"), std::string::npos);
  EXPECT_EQ(picture.proof, "Σ visible + Σ hidden = Σ rebuilt ✓");
  RoutingSettings settings;
  settings.source = RoutingSource::LatestWeights;
  const RoutingPicture weights = graph.ask(35, settings);
  EXPECT_EQ(weights.step, 20u);
  EXPECT_TRUE(weights.content->has_weights);
}

// Every way of looking: what is visible and what is hidden are together what was recorded.
TEST(RoutingQuery, VisibleAndHiddenAreAlwaysWhatWasRecorded) {
  SparkOptions options;
  options.positions = 61;
  Graph graph(options);
  graph.feed(0, 60);
  int tried = 0;
  for (const double threshold : {0.0, 1e-4, 0.01, 0.05, 0.5, 1.0}) {
    for (const RoutingShown shown : {RoutingShown::All, RoutingShown::Direct, RoutingShown::Fallback}) {
      for (const RoutingLayout layout : {RoutingLayout::Arcs, RoutingLayout::Bands}) {
        for (const RoutingDetail detail : {RoutingDetail::Automatic, RoutingDetail::Blocks16}) {
          for (const RoutingAgainst against : {RoutingAgainst::Nothing, RoutingAgainst::Step}) {
            for (const std::uint64_t step : {40u, 50u}) {
              RoutingSettings settings;
              settings.threshold = threshold;
              settings.shown = shown;
              settings.layout = layout;
              settings.detail = detail;
              settings.against = against;
              settings.against_step = 20;
              const RoutingPicture picture = graph.ask(step, settings);
              ASSERT_TRUE(picture.content);
              const RoutingLedger& ledger = picture.content->ledger;
              EXPECT_EQ(ledger.visible + ledger.hidden(), ledger.recorded);
              EXPECT_TRUE(picture.sum_error.empty()) << picture.sum_error;
              EXPECT_NE(picture.proof.find("✓"), std::string::npos);
              EdgeSums marks;
              for (const RoutingMark& mark : picture.content->marks) marks += mark.sums;
              EXPECT_EQ(marks, ledger.visible);
              ++tried;
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(tried, 288);
}

TEST(RoutingQuery, SplittingBlocksNeverChangesATotal) {
  SparkOptions options;
  options.positions = 64;
  Graph graph(options);
  graph.feed(0, 20);
  std::optional<EdgeSums> first;
  for (const RoutingDetail detail :
       {RoutingDetail::Blocks64, RoutingDetail::Blocks16, RoutingDetail::Tokens}) {
    RoutingSettings settings = all_layers();
    settings.detail = detail;
    const RoutingPicture picture = graph.ask(20, settings);
    if (!first) first = picture.content->ledger.visible;
    EXPECT_EQ(picture.content->ledger.visible, *first);
  }
}

TEST(RoutingQuery, TheTwinHasOneRowAMarkAndItsIntegersAddUp) {
  Graph graph;
  graph.feed(0, 60);
  RoutingSettings settings = all_layers();
  settings.threshold = 0.05;
  const RoutingPicture picture = graph.ask(40, settings);
  const Twin twin = twin_of(picture);
  ASSERT_EQ(twin.table.rows.size(), picture.content->marks.size());
  EdgeSums sums;
  for (const auto& row : twin.table.rows) {
    ASSERT_EQ(row.size(), twin.table.header.size());
    sums += {std::stoll(row[8]), std::stoll(row[7])};
  }
  EXPECT_EQ(sums, picture.content->ledger.visible);
  const std::string text = text_of(twin);
  EXPECT_NE(text.find("Σ visible: " + std::to_string(sums.pairs) + " pairs, " + std::to_string(sums.mass)),
            std::string::npos);
  EXPECT_NE(text.find(picture.takeaway), std::string::npos);
  EXPECT_NE(text.find("of the mass hidden"), std::string::npos);
}

TEST(RoutingQuery, TheThresholdSaysWhatItHidesAndRenormalisingIsNamed) {
  Graph graph;
  graph.feed(0, 60);
  RoutingSettings settings;
  settings.threshold = 0.2;
  RoutingPicture picture = graph.ask(40, settings);
  EXPECT_GT(picture.content->ledger.marks_hidden, 0);
  EXPECT_GT(picture.content->ledger.below_threshold.mass, 0);
  EXPECT_NE(picture.threshold_words.find("of the mass hidden"), std::string::npos);
  EXPECT_EQ(picture.title.find("renormalised"), std::string::npos);
  settings.renormalise = true;
  picture = graph.ask(40, settings);
  EXPECT_NE(picture.title.find("renormalised"), std::string::npos);
  std::map<std::uint32_t, double> rows;
  for (const RoutingMark& mark : picture.content->marks) rows[mark.query] += mark.value;
  for (const auto& [query, sum] : rows) EXPECT_NEAR(sum, 1, 1e-5) << query;
}

TEST(RoutingQuery, ADifferenceIsOneStepMinusTheOther) {
  Graph graph;
  graph.feed(0, 60);
  RoutingSettings settings = all_layers();
  const RoutingPicture now = graph.ask(60, settings), then = graph.ask(20, settings);
  settings.against = RoutingAgainst::Step;
  settings.against_step = 20;
  const RoutingPicture picture = graph.ask(60, settings);
  EXPECT_EQ(picture.other_step, 20u);
  EXPECT_NE(picture.title.find("minus step 20"), std::string::npos);
  std::map<std::tuple<int, int, int, int>, EdgeSums> expected;
  const auto add = [&](const RoutingPicture& from, int sign) {
    for (const RoutingMark& mark : from.content->marks) {
      EdgeSums& sums = expected[{mark.layer, static_cast<int>(mark.query), static_cast<int>(mark.key),
                                 static_cast<int>(mark.reason)}];
      sums += sign > 0 ? mark.sums : EdgeSums{} - mark.sums;
    }
  };
  add(now, 1);
  add(then, -1);
  std::erase_if(expected, [](const auto& entry) { return entry.second == EdgeSums{}; });
  ASSERT_EQ(picture.content->marks.size(), expected.size());
  for (const RoutingMark& mark : picture.content->marks) {
    const auto found = expected.find({mark.layer, static_cast<int>(mark.query), static_cast<int>(mark.key),
                                      static_cast<int>(mark.reason)});
    ASSERT_NE(found, expected.end());
    EXPECT_EQ(mark.sums, found->second);
  }
}

TEST(RoutingQuery, ADifferenceToThePinnedBaselineNeedsTheSameTextAndVocabulary) {
  Graph graph;
  graph.feed(0, 40);
  RoutingSettings settings;
  settings.against = RoutingAgainst::Baseline;
  RoutingPicture picture = graph.ask(40, settings);
  EXPECT_FALSE(picture.content->is_difference);
  EXPECT_NE(picture.no_baseline.find("Pick a second run"), std::string::npos);
  SparkOptions other;
  other.seed = 2;
  SparkRun second(other);
  graph.timeline.add_run({test::mailbox_with(second.schema, second.frames(41))});
  graph.timeline.drain_all();
  graph.comparison.baseline = graph.timeline.runs()[1]->id();
  picture = graph.ask(40, settings);
  EXPECT_FALSE(picture.content->is_difference) << "another text";
  EXPECT_FALSE(picture.no_baseline.empty());
  EXPECT_FALSE(picture.lock_words.empty());
}

TEST(RoutingQuery, ADifferenceToTheBaselineIsTakenAtTheSamePlaceOfTheTimeAxis) {
  SparkOptions inherits, plain;
  plain.inheritance = false;
  Graph graph(inherits);
  graph.feed(0, 190);
  SparkRun second(plain);
  graph.timeline.add_run({test::mailbox_with(second.schema, second.frames(191))});
  graph.timeline.drain_all();
  graph.comparison.baseline = graph.timeline.runs()[1]->id();
  RoutingSettings settings = all_layers();
  settings.against = RoutingAgainst::Baseline;
  const RoutingPicture picture = graph.ask(180, settings);
  ASSERT_TRUE(picture.content->is_difference) << picture.no_baseline;
  EXPECT_EQ(picture.other_step, 180u);
  EXPECT_FALSE(picture.other_name.empty());
  EXPECT_TRUE(picture.content->ledger.is_exact());
  // Only inheritance differs: no pair is lost, and those gained are inherited.
  std::int64_t gained = 0;
  for (const RoutingMark& mark : picture.content->marks) {
    EXPECT_GE(mark.sums.pairs, 0);
    if (mark.sums.pairs > 0) {
      EXPECT_EQ(mark.reason, RoutingReason::Inherited);
    }
    gained += mark.sums.pairs;
  }
  EXPECT_GT(gained, 0);
}

TEST(RoutingQuery, ADisagreementOfTheSumsIsAnErrorThatNamesTheDifference) {
  SparkRun source;
  auto frame = source.frame(0);
  for (trace::ChannelData& part : frame->data) {
    if (part.channel != source.schema->find("edges")->id) continue;
    const std::uint16_t outside = 9999;  // the query of the third record
    std::memcpy(part.bytes.data() + 2 * 20 + 8, &outside, sizeof(outside));
  }
  Graph graph;
  graph.add({frame});
  const RoutingPicture picture = graph.ask(0, all_layers());
  EXPECT_TRUE(picture.is_error());
  EXPECT_TRUE(picture.proof.empty());
  EXPECT_NE(picture.sum_error.find("The sums disagree"), std::string::npos);
  EXPECT_NE(picture.sum_error.find("1 recorded pairs lie outside"), std::string::npos) << picture.sum_error;
  EXPECT_NE(text_of(twin_of(picture)).find("The sums disagree"), std::string::npos);
}

TEST(RoutingQuery, WeightsThatAreNoNumbersAreCountedAndNeverSummed) {
  SparkRun source;
  auto frame = source.frame(0);
  for (trace::ChannelData& part : frame->data) {
    if (part.channel != source.schema->find("edges")->id) continue;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(part.bytes.data() + 4 * 20 + 4, &nan, sizeof(nan));
  }
  Graph graph;
  graph.add({frame});
  const RoutingPicture picture = graph.ask(0, all_layers());
  EXPECT_FALSE(picture.is_error());
  EXPECT_NE(picture.invalid.find("1 weights of step 0 are no numbers"), std::string::npos);
  std::int64_t marked = 0;
  for (const RoutingNode& node : picture.content->nodes) marked += node.invalid;
  EXPECT_EQ(marked, 1);
}

TEST(RoutingQuery, ALockedTokenHasItsPastInOneHueAndItsFutureInTheOther) {
  Graph graph;
  graph.feed(0, 40);
  graph.locked.token = 12;
  const RoutingPicture picture = graph.ask(40);
  int past = 0, future = 0;
  for (const RoutingMark& mark : picture.content->marks) {
    const RoutingRole expected = mark.query == 12 ? RoutingRole::Past
                                 : mark.key == 12 ? RoutingRole::Future
                                                  : RoutingRole::None;
    EXPECT_EQ(mark.role, expected);
    past += mark.role == RoutingRole::Past ? 1 : 0;
    future += mark.role == RoutingRole::Future ? 1 : 0;
  }
  EXPECT_GT(past, 0);
  EXPECT_GT(future, 0);
  graph.locked.token = 5000;
  EXPECT_NE(graph.ask(40).lock_words.find("the lock is kept"), std::string::npos);
}

TEST(RoutingQuery, AHeadThatIsNotRecordedApartIsSaid) {
  Graph graph;
  graph.feed(0, 40);
  graph.locked.head = 1;
  EXPECT_NE(graph.ask(40).heads.find("Head 1 is not recorded apart"), std::string::npos);
  EXPECT_EQ(graph.ask(30).heads, "All heads share a scope");
}

TEST(RoutingQuery, ReadoutsAreCountedOnTheGraphOverTheStrictPast) {
  Graph graph;
  graph.feed(0, 60);
  const RoutingPicture picture = graph.ask(40);
  const std::int64_t T = graph.source.options().positions;
  for (const RoutingReadout& readout : picture.readouts) {
    const auto reasons = graph.source.reasons(40, readout.layer);
    std::int64_t in_scope = 0, empty = 0;
    for (std::int64_t t = 0; t < T; ++t) {
      bool has_direct = false;
      for (std::int64_t p = 0; p < t; ++p) {
        const auto kind = reasons[static_cast<std::size_t>(t * T + p)];
        in_scope += kind != 0 ? 1 : 0;
        has_direct |= (kind & 1) != 0;
      }
      empty += has_direct ? 0 : 1;
    }
    const double past = static_cast<double>(T * (T - 1)) / 2;
    EXPECT_NEAR(readout.density, static_cast<double>(in_scope) / past, 1e-12);
    EXPECT_NEAR(readout.mean_scope, static_cast<double>(in_scope) / static_cast<double>(T), 1e-12);
    EXPECT_NEAR(readout.empty_rows, static_cast<double>(empty) / static_cast<double>(T), 1e-12);
    EXPECT_TRUE(std::isfinite(readout.expected));
  }
}

TEST(RoutingQuery, SaysInWordsWhetherItBecomesEverythingToEverything) {
  Graph graph;
  graph.feed(0, 190);
  const RoutingPicture picture = graph.ask(180);
  EXPECT_NE(picture.takeaway.find("everything"), std::string::npos) << picture.takeaway;
  EXPECT_NE(picture.takeaway.find("of the past in scope"), std::string::npos);
}

TEST(RoutingQuery, BeforeTheFirstSampleItOffersTheNearest) {
  Graph graph;
  graph.feed(5, 40);
  const RoutingPicture picture = graph.ask(7);
  EXPECT_EQ(picture.state, PictureState::Empty);
  EXPECT_EQ(picture.words, "No routing recorded at this step");
  ASSERT_TRUE(picture.action);
  EXPECT_EQ(picture.action->step, 10u);
}

TEST(RoutingQuery, ThatItDoesNotApplyNamesChannelsAndPresets) {
  test::SmallRun small;
  Timeline timeline;
  timeline.add_run({test::mailbox_with(small.schema, {small.frame(0)})});
  timeline.drain_all();
  const RoutingPicture picture = routing_picture({timeline, *timeline.runs().front()}, {});
  EXPECT_EQ(picture.state, PictureState::NotApplicable);
  EXPECT_NE(picture.words.find("spark-collapse"), std::string::npos);
}

// Frames as they stand in a long recording: light channels are there, heavy ones have to be asked for.
std::vector<trace::FramePtr> without_heavy_rows(const SparkRun& source,
                                                const std::vector<trace::FramePtr>& frames) {
  const auto edges = source.schema->find("edges")->id;
  std::vector<trace::FramePtr> bare;
  for (const trace::FramePtr& frame : frames) {
    auto made = std::make_shared<trace::Frame>(*frame);
    std::erase_if(made->data, [&](const trace::ChannelData& part) { return part.channel == edges; });
    bare.push_back(made);
  }
  return bare;
}

TEST(RoutingQuery, WhileWeightsAreReadScopesStandInAndADifferenceAsksOneRowAtATime) {
  Graph graph;
  auto rows = std::make_shared<test::ManualSource>();
  const auto frames = graph.source.frames(61);
  graph.add(without_heavy_rows(graph.source, frames), rows);
  RoutingSettings settings;
  settings.against = RoutingAgainst::Step;
  settings.against_step = 20;
  RoutingPicture picture = graph.ask(40);
  EXPECT_EQ(picture.state, PictureState::Ready);
  EXPECT_NE(picture.source.find("weights of step 40 are being read"), std::string::npos);
  ASSERT_EQ(rows->asked.size(), 1u);
  rows->answer(rows->asked[0].tag, frames[40]);
  graph.timeline.drain_all();
  picture = graph.ask(40, settings);
  EXPECT_EQ(picture.state, PictureState::Loading);
  ASSERT_EQ(rows->asked.size(), 2u) << "the other row once the first is there";
  rows->answer(rows->asked[1].tag, frames[20]);
  graph.timeline.drain_all();
  picture = graph.ask(40, settings);
  EXPECT_EQ(picture.state, PictureState::Ready);
  EXPECT_TRUE(picture.content->is_difference);
  EXPECT_TRUE(picture.content->has_weights);
  EXPECT_TRUE(rows->cancelled.empty());
}

TEST(RoutingQuery, AFailedReadIsAFailureWithItsReason) {
  Graph graph;
  auto rows = std::make_shared<test::ManualSource>();
  const auto frames = graph.source.frames(41);
  auto bare = without_heavy_rows(graph.source, frames);
  graph.add(bare, rows);
  graph.ask(40);
  rows->fail(rows->asked.at(0).tag, "bytes 3 to 9 cannot be read");
  graph.timeline.drain_all();
  const RoutingPicture picture = graph.ask(40);
  EXPECT_EQ(picture.state, PictureState::Failed);
  EXPECT_EQ(picture.words, "bytes 3 to 9 cannot be read");
}

TEST(RoutingQuery, TheSameGraphIsNotMadeTwice) {
  Graph graph;
  graph.feed(0, 60);
  const RoutingPicture first = graph.ask(40), again = graph.ask(41);
  EXPECT_EQ(first.content, again.content);
  graph.locked.token = 3;
  EXPECT_NE(graph.ask(40).content, first.content);
  EXPECT_EQ(graph.memory.rolled.size(), 1u);
}

// Of so many pairs that its sums are made aside.
struct LargeGraph : Graph {
  LargeGraph() : Graph(options()) { add({source.dense_frame(0)}); }
  static SparkOptions options() {
    SparkOptions made;
    made.layers = 2;
    made.positions = 256;
    made.vocabulary = 12;
    return made;
  }
};

TEST(RoutingQuery, ALargeGraphSummedAsideIsTheOneThatIsSummedHere) {
  LargeGraph graph;
  const RoutingPicture first = graph.ask(0, all_layers(), {}, RoutingWork::AsideWhenLarge);
  EXPECT_EQ(first.state, PictureState::Loading);
  EXPECT_EQ(first.words, "Summing the edges of step 0");
  EXPECT_GT(first.summing_seconds, 0);
  EXPECT_FALSE(first.content);
  EXPECT_TRUE(graph.timeline.is_busy());
  const RoutingPicture aside = graph.wait_for(0, all_layers(), {});
  ASSERT_EQ(aside.state, PictureState::Ready);
  EXPECT_GT(aside.content->ledger.recorded.pairs, kLargeGraph);
  LargeGraph other;
  const RoutingPicture here = other.ask(0, all_layers());
  EXPECT_FALSE(other.timeline.is_busy());
  EXPECT_EQ(text_of(twin_of(aside)), text_of(twin_of(here)));
  EXPECT_EQ(aside.content->edges, here.content->edges);
}

TEST(RoutingQuery, WhileABlockIsSplitTheLastSplitStaysAndItsSumsAreTheSame) {
  LargeGraph graph;
  const RoutingWindow far = routing_window(256, {0, 256}, 300), near = routing_window(256, {70, 120}, 300);
  const RoutingPicture before = graph.wait_for(0, {}, far);
  ASSERT_EQ(before.state, PictureState::Ready);
  const RoutingPicture during = graph.ask(0, {}, near, RoutingWork::AsideWhenLarge);
  EXPECT_EQ(during.state, PictureState::Ready);
  EXPECT_EQ(during.content, before.content);
  EXPECT_EQ(during.aggregation, before.aggregation);
  EXPECT_TRUE(graph.timeline.is_busy());
  // Who goes back meanwhile is not shown what was made in vain.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(graph.wait_for(0, {}, far).content, before.content);
  const RoutingPicture after = graph.wait_for(0, {}, near);
  EXPECT_GT(after.content->nodes.size(), before.content->nodes.size());
  EXPECT_EQ(after.content->ledger.visible, before.content->ledger.visible);
  EXPECT_TRUE(after.content->ledger.is_exact());
  // Other settings are another graph: the last one would be a wrong answer.
  RoutingSettings direct;
  direct.shown = RoutingShown::Direct;
  EXPECT_EQ(graph.ask(0, direct, near, RoutingWork::AsideWhenLarge).state, PictureState::Loading);
}

TEST(RoutingQuery, WhatIsSummedHereWaitsForWhatWasBegunAside) {
  LargeGraph graph;
  graph.ask(0, {}, {}, RoutingWork::AsideWhenLarge);
  EXPECT_TRUE(graph.memory.rolling.is_busy());
  EXPECT_EQ(graph.ask(0).state, PictureState::Ready);
  EXPECT_EQ(graph.memory.rolled.size(), 1u);
  EXPECT_FALSE(graph.memory.rolling.is_busy());
}

TEST(RoutingQuery, AFailureAsideIsTheFailureThatItIsHere) {
  for (const RoutingWork work : {RoutingWork::Here, RoutingWork::AsideWhenLarge}) {
    Graph graph(LargeGraph::options());
    auto frames = std::vector<trace::FramePtr>{graph.source.frame(0)};
    const auto broken = graph.source.frame(10);
    for (trace::ChannelData& part : broken->data) {
      if (part.channel == graph.source.schema->find("declared")->id) part.bytes.pop_back();
    }
    frames.push_back(broken);
    graph.add(frames);
    const RoutingPicture picture = work == RoutingWork::Here ? graph.ask(10) : graph.wait_for(10, {}, {});
    EXPECT_EQ(picture.state, PictureState::Failed);
    EXPECT_NE(picture.words.find("has another size than its axes say"), std::string::npos) << picture.words;
  }
}

// A dense graph of a million pairs.
EdgeRollupPtr million(std::int64_t layers, std::int64_t tokens) {
  RoutingPairs pairs;
  pairs.layers = layers;
  pairs.tokens = tokens;
  std::int64_t mass = 1;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t p = 0; p <= t; ++p) {
        mass = (mass * 48271) % 2147483647;
        const auto reason = p == t ? RoutingReason::Self : static_cast<RoutingReason>((t + p) % 3);
        pairs.pairs.push_back({mass, static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(p),
                               static_cast<std::uint16_t>(layer), reason});
        pairs.recorded += {mass, 1};
      }
    }
  }
  return std::make_shared<const EdgeRollup>(std::move(pairs));
}

TEST(RoutingQuery, AMillionEdgesAreAggregatedAndTheLevelIsNamed) {
  RoutingInput input;
  input.rollup = million(8, 512);
  EXPECT_GT(input.rollup->recorded().pairs, 1'000'000);
  input.settings = all_layers();
  input.last_layer = 7;
  const auto content = make_routing_content(input);
  EXPECT_LE(content->marks.size(), kMostRoutingMarks);
  EXPECT_EQ(content->inside, 1u);
  EXPECT_GT(content->finest_marks, 1'000'000u);
  EXPECT_TRUE(content->ledger.is_exact());
  RoutingPicture picture;
  picture.settings = input.settings;
  picture.content = content;
  picture.layers = 8;
  picture.last_layer = 7;
  set_routing_sums(picture);
  EXPECT_NE(picture.aggregation.find("blocks of 16 tokens"), std::string::npos);
  EXPECT_NE(picture.aggregation.find("more than the 50,000 drawn at once"), std::string::npos);
}

TEST(RoutingQuery, ZoomSplitsTheBlocksInViewAndSumsStay) {
  RoutingInput input;
  input.rollup = million(1, 1024);
  input.last_layer = 0;
  input.window = routing_window(1024, {100, 160}, 600);
  EXPECT_EQ(input.window.inside, 0u);
  EXPECT_EQ(input.window.outside, 1u);
  EXPECT_EQ(input.window.tokens, (Range{64, 192}));
  const auto near = make_routing_content(input);
  input.window = routing_window(1024, {0, 1024}, 600);
  EXPECT_EQ(input.window, (RoutingWindow{{0, 0}, 1, 1}));
  const auto far = make_routing_content(input);
  EXPECT_GT(near->nodes.size(), far->nodes.size());
  EXPECT_EQ(near->ledger.visible, far->ledger.visible);
  EXPECT_EQ(routing_window(4096, {0, 4096}, 700).outside, 2u);
}

TEST(RoutingQuery, WhatIsStillTooMuchIsHiddenByAThresholdThatIsNamed) {
  // More block pairs than can be drawn, each with one pair a reason.
  constexpr std::uint32_t kBlocks = 58;
  for (const bool has_weights : {true, false}) {
    RoutingPairs pairs;
    pairs.layers = 16;
    pairs.tokens = 64 * kBlocks;
    pairs.has_weights = has_weights;
    for (std::uint16_t layer = 0; layer < 16; ++layer) {
      for (std::uint32_t query = 0; query < kBlocks; ++query) {
        for (std::uint32_t key = 0; key <= query; ++key) {
          for (int reason = 0; reason < 3; ++reason) {
            const auto mass = has_weights ? std::int64_t{1 + layer * 7919 + query * 104729 + key} << 8 : 0;
            pairs.pairs.push_back(
                {mass, 64 * query + 1, 64 * key, layer, static_cast<RoutingReason>(reason)});
            pairs.recorded += {mass, 1};
          }
        }
      }
    }
    RoutingInput input;
    input.rollup = std::make_shared<const EdgeRollup>(std::move(pairs));
    input.settings = all_layers();
    input.last_layer = 15;
    const auto content = make_routing_content(input);
    EXPECT_TRUE(content->is_raised);
    EXPECT_LE(content->marks.size(), kMostRoutingMarks);
    EXPECT_GT(content->ledger.marks_hidden, 0);
    EXPECT_TRUE(content->ledger.is_exact());
    RoutingPicture picture;
    picture.content = content;
    set_routing_sums(picture);
    EXPECT_NE(picture.threshold_words.find("so that 50,000 edges are drawn"), std::string::npos)
        << picture.threshold_words;
  }
}

}  // namespace
}  // namespace sparsescope::viz
