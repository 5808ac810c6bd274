// Runs beside one another: what may be subtracted, what is drawn over what, how time is locked.
#include "viz/model/comparison.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/trace/error.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/comparison_lines.h"
#include "viz/model/needle_query.h"

namespace sparsescope::viz {
namespace {

using test::SparkOptions;
using test::SparkRun;

std::string data_note(const std::string& corpus, const std::string& tokenizer) {
  return R"({"kind":"note","text":"text","data":{"corpus":{"sha256":")" + corpus +
         R"("},"tokenizer":{"sha256":")" + tokenizer + R"("}}})";
}

// Several runs over one timeline, the first one selected.
struct Runs {
  viz::Run& add(SparkOptions options = {}, std::uint64_t steps = 120,
                const std::string& note = data_note("c1", "t1")) {
    SparkRun source(options);
    std::vector<trace::FramePtr> frames = {source.frame(0, {note})};
    for (std::uint64_t step = 1; step < steps; ++step) frames.push_back(source.frame(step));
    return add(source.schema, frames);
  }
  viz::Run& add(const trace::SchemaPtr& schema, const std::vector<trace::FramePtr>& frames) {
    auto mailbox = test::mailbox_with(schema, frames);
    mailbox->on_end(test::finished());
    viz::Run& run = timeline.add_run({mailbox});
    timeline.drain_all();
    return run;
  }
  QueryFrame frame() { return {timeline, *timeline.runs().front(), 1200, {}, locked, comparison}; }
  void compare_all() { comparison = all_beside(timeline); }

  Timeline timeline;
  Comparison comparison;
  Marks locked;
};

std::vector<std::string> labels_of(const TrackPicture& track) {
  std::vector<std::string> labels;
  for (const LinePicture& line : track.lines) {
    if (!line.label.empty() && !line.is_spread) labels.push_back(line.label);
  }
  std::ranges::sort(labels);
  return labels;
}

const LinePicture& line_called(const TrackPicture& track, const std::string& label) {
  const auto found = std::ranges::find(track.lines, label, &LinePicture::label);
  if (found == track.lines.end()) throw Error("no line " + label);
  return *found;
}

bool says(const Twin& twin, const std::string& words) {
  return text_of(twin).find(words) != std::string::npos;
}

TEST(ComparisonCheck, RunsOfOneTextTokenizerAndProbeBatchMayBeSubtracted) {
  Runs runs;
  viz::Run &a = runs.add(), &b = runs.add();
  const ComparisonCheck check = comparable(a, b, 100);
  EXPECT_TRUE(check.allows_losses());
  EXPECT_TRUE(check.allows_maps());
  EXPECT_TRUE(check.sentences.empty());
  EXPECT_FALSE(check.is_reading);
}

TEST(ComparisonCheck, ADifferingTokenizerForbidsEveryDifference) {
  Runs runs;
  viz::Run &a = runs.add(), &b = runs.add({}, 120, data_note("c1", "t2"));
  const ComparisonCheck check = comparable(a, b, 100);
  EXPECT_FALSE(check.allows_losses());
  EXPECT_FALSE(check.allows_maps());
  ASSERT_EQ(check.sentences.size(), 1u);
  EXPECT_EQ(check.sentences[0], "Tokenizer differs: nothing is subtracted");
}

TEST(ComparisonCheck, ADifferingTextForbidsLossesAndLeavesMapsOfTheSameProbes) {
  Runs runs;
  viz::Run &a = runs.add(), &b = runs.add({}, 120, data_note("c2", "t1"));
  const ComparisonCheck check = comparable(a, b, 100);
  EXPECT_FALSE(check.allows_losses());
  EXPECT_TRUE(check.allows_maps());
  EXPECT_EQ(check.sentences.at(0), "Training text differs: losses and needle signals are not subtracted");
}

TEST(ComparisonCheck, OtherProbesForbidMapsOnly) {
  Runs runs;
  viz::Run &a = runs.add({.seed = 1}), &b = runs.add({.seed = 2});
  const ComparisonCheck check = comparable(a, b, 100);
  EXPECT_TRUE(check.allows_losses());
  EXPECT_FALSE(check.allows_maps());
  EXPECT_EQ(check.sentences.at(0), "Probe batch differs: maps over its tokens are not subtracted");
}

TEST(ComparisonCheck, ANeedleInOneOfThemMakesTheProbeBatchesDifferFromThenOn) {
  Runs runs;
  viz::Run& a = runs.add();
  SparkRun source;
  std::vector<trace::FramePtr> frames = {source.frame(0, {data_note("c1", "t1")})};
  const std::string needle =
      R"({"kind":"needle_injected","depth":0.5,"ids":[3,4],"positions":[5,20],"step":60})";
  for (std::uint64_t step = 1; step < 120; ++step)
    frames.push_back(step == 60 ? source.frame(step, {needle}) : source.frame(step));
  viz::Run& b = runs.add(source.schema, frames);
  EXPECT_TRUE(comparable(a, b, 59).allows_maps());
  EXPECT_FALSE(comparable(a, b, 60).allows_maps());
}

TEST(ComparisonCheck, WhatNeitherRunSaysIsNotTakenForTheSame) {
  Runs runs;
  viz::Run &a = runs.add({}, 60, R"({"kind":"note","text":"nothing"})"),
           &b = runs.add({}, 60, R"({"kind":"note","text":"nothing"})");
  const ComparisonCheck check = comparable(a, b, 50);
  EXPECT_EQ(check.tokenizer, Sameness::Same) << "the vocabularies are there and equal";
  EXPECT_EQ(check.data, Sameness::Unknown);
  EXPECT_FALSE(check.allows_losses());
  EXPECT_EQ(check.sentences.at(0),
            "Training text not recorded by both: losses and needle signals are not subtracted");
}

TEST(ComparedRuns, TheBaselineIsAAndTheSelectedRunComesNext) {
  Runs runs;
  for (int i = 0; i < 6; ++i) runs.add({}, 20);
  runs.comparison.baseline = 3;
  runs.comparison.beside = {2, 0, 3, 5, 4};
  const std::vector<ComparedRun> compared = compared_runs(runs.frame());
  ASSERT_EQ(compared.size(), kMostRunsCompared);
  EXPECT_EQ(compared[0].run->id(), 3u);
  EXPECT_TRUE(compared[0].is_baseline);
  EXPECT_EQ(compared[0].letter, "A");
  EXPECT_TRUE(compared[1].is_selected);
  EXPECT_EQ(compared[2].run->id(), 2u);
  EXPECT_EQ(compared[3].run->id(), 5u);
}

TEST(ComparedRuns, ARunAloneIsNoComparison) {
  Runs runs;
  runs.add({}, 20);
  runs.comparison.baseline = 0;
  runs.comparison.beside = {0, 77};
  EXPECT_TRUE(compared_runs(runs.frame()).empty());
  EXPECT_EQ(baseline_run(runs.frame()), nullptr);
  EXPECT_TRUE(comparison_banner(runs.frame()).is_empty());
}

TEST(Overlay, EveryViewOfTracksHasALineOfEveryRun) {
  Runs runs;
  runs.add({.seed = 1});
  runs.add({.seed = 2}, 80);
  runs.add({.seed = 3}, 100);
  runs.compare_all();
  const Picture loss = loss_query(runs.frame(), {});
  EXPECT_EQ(labels_of(loss.tracks.at(0)), (std::vector<std::string>{"A held-out", "A train", "B held-out",
                                                                    "B train", "C held-out", "C train"}));
  EXPECT_EQ(line_called(loss.tracks[0], "B train").run, 1u);
  EXPECT_EQ(line_called(loss.tracks[0], "C train").columns.back().step, 99u);
  const Picture drift = drift_query(runs.frame(), {});
  EXPECT_EQ(labels_of(drift.tracks.at(0)), (std::vector<std::string>{"A mean", "B mean", "C mean"}));
  const Picture density = density_query(runs.frame(), {});
  for (const char* label : {"A scope", "B scope", "C scope"})
    EXPECT_FALSE(line_called(density.tracks.at(0), label).columns.empty()) << label;
  EXPECT_FALSE(density.tracks[0].areas.empty()) << "the reasons of the selected run stay";
  const NeedlePicture needle = needle_query(runs.frame(), {});
  EXPECT_EQ(labels_of(needle.tracks.at(0)),
            (std::vector<std::string>{"A 1x", "A 4x", "B 1x", "B 4x", "C 1x", "C 4x"}));
  EXPECT_EQ(needle.runs.size(), 3u);
}

TEST(Overlay, WithoutAComparisonNothingChanges) {
  Runs runs;
  runs.add();
  const Picture alone = loss_query(runs.frame(), {});
  runs.comparison.beside = {0};
  EXPECT_EQ(text_of(twin_of(loss_query(runs.frame(), {}))), text_of(twin_of(alone)));
  EXPECT_EQ(labels_of(alone.tracks.at(0)), (std::vector<std::string>{"held-out", "train"}));
}

TEST(Overlay, ALockedLayerIsTheLayerThatIsCompared) {
  Runs runs;
  runs.add({.seed = 1});
  runs.add({.seed = 2});
  runs.compare_all();
  runs.locked.layer = 1;
  const Picture drift = drift_query(runs.frame(), {});
  EXPECT_EQ(labels_of(drift.tracks.at(0)), (std::vector<std::string>{"A layer 1", "B layer 1"}));
}

TEST(Overlay, TheMeanOverLayersLiesBetweenTheLowestAndTheHighest) {
  Runs runs;
  viz::Run& run = runs.add({.layers = 3});
  const LinePicture line = mean_over_layers(runs.frame(), "threshold", "theta", {0, -1});
  ASSERT_EQ(line.columns.size(), 120u);
  for (const Column& column : line.columns) {
    double sum = 0, least = INFINITY, most = -INFINITY;
    for (const char* layer : {"0", "1", "2"}) {
      const double value = run.series("threshold", {layer, "theta"})->at(column.step);
      sum += value;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    EXPECT_NEAR(column.bucket.last, sum / 3, 1e-12);
    EXPECT_EQ(column.bucket.minimum, least);
    EXPECT_EQ(column.bucket.maximum, most);
  }
}

TEST(Overlay, RunsThatDifferOnlyInTheirSeedBecomeMedianAndBand) {
  Runs runs;
  for (std::uint64_t seed : {1, 2, 3}) {
    test::SmallRun source;
    trace::Schema schema = *source.schema;
    schema.seed = seed;
    schema.run_uuid[0] = static_cast<char>('0' + seed);
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step < 50; ++step)
      frames.push_back(
          source.frame(step, std::pow(static_cast<double>(seed), 2) + static_cast<double>(step)));
    runs.add(std::make_shared<const trace::Schema>(schema), frames);
  }
  runs.compare_all();
  LossSettings settings;
  settings.smoothing.is_on = false;
  settings.groups_seeds = true;
  const Picture picture = loss_query(runs.frame(), settings);
  ASSERT_EQ(labels_of(picture.tracks.at(0)), std::vector<std::string>{"A+B+C train, median of 3 seeds"});
  for (const Column& column : picture.tracks[0].lines.at(0).columns) {
    const auto step = static_cast<double>(column.step);
    EXPECT_EQ(column.bucket.last, 4 + step);
    EXPECT_EQ(column.bucket.minimum, 1 + step);
    EXPECT_EQ(column.bucket.maximum, 9 + step);
    EXPECT_EQ(column.bucket.count, 3u);
  }
}

// Seeds 1 and 2 of one arm at losses 3 and 3.2, and another arm at `loss` of each step.
void add_two_arms(Runs& runs, const std::function<double(std::uint64_t step)>& loss) {
  for (std::uint64_t number : {1, 2, 3}) {
    test::SmallRun source;
    trace::Schema schema = *source.schema;
    schema.seed = number == 3 ? 1 : number;
    schema.run_uuid[0] = static_cast<char>('0' + number);
    if (number == 3) schema.experiment_json = R"({"train":{"steps":100,"batch":10},"model":{"context":20}})";
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step < 50; ++step) {
      auto frame = source.frame(step, number == 3 ? loss(step) : number == 1 ? 3 : 3.2);
      if (step == 0) source.add_event(*frame, data_note("c1", "t1"));
      frames.push_back(frame);
    }
    runs.add(std::make_shared<const trace::Schema>(schema), frames);
  }
  runs.compare_all();
}

TEST(SeedSpread, ADifferenceWithinItIsMarkedAndSaidAndOneBeyondItIsNot) {
  Runs runs;
  add_two_arms(runs, [](std::uint64_t step) { return step < 25 ? 3.1 : 4.0; });
  LossSettings settings;
  settings.smoothing.is_on = false;
  const Picture picture = loss_query(runs.frame(), settings);
  const TrackPicture& track = picture.tracks.at(0);
  const LinePicture& band = line_called(track, "A+B train, spread of 2 seeds");
  EXPECT_TRUE(band.is_spread);
  EXPECT_EQ(band.columns.front().bucket.minimum, 3);
  EXPECT_EQ(band.columns.front().bucket.maximum, 3.2);
  const LinePicture& other = line_called(track, "C train");
  EXPECT_TRUE(other.columns.front().is_within_spread);
  EXPECT_FALSE(other.columns.back().is_within_spread);
  for (const char* own : {"A train", "B train"}) {
    for (const Column& column : line_called(track, own).columns) EXPECT_FALSE(column.is_within_spread) << own;
  }
  ASSERT_EQ(track.spreads.size(), 1u);
  EXPECT_FALSE(track.spreads[0].is_inside);
  EXPECT_EQ(track.spreads[0].words, "C train lies 0.8 nats outside the seed spread of A+B, 3 to 3.2 nats");
  runs.timeline.cursor().seek(10);
  const Picture earlier = loss_query(runs.frame(), settings);
  EXPECT_TRUE(earlier.tracks[0].spreads.at(0).is_inside);
  EXPECT_TRUE(says(twin_of(earlier), "C train lies inside the seed spread of A+B, 3 to 3.2 nats"));
  // Grouped, the arms are compared as well.
  settings.groups_seeds = true;
  const Picture grouped = loss_query(runs.frame(), settings);
  EXPECT_TRUE(line_called(grouped.tracks[0], "C train").columns.front().is_within_spread);
}

TEST(SeedSpread, TheTakeawaySaysWhetherSeedsAloneWouldMakeTheDifferenceToA) {
  Runs runs;
  add_two_arms(runs, [](std::uint64_t) { return 3.1; });
  runs.comparison.baseline = 0;
  LossSettings settings;
  settings.smoothing.is_on = false;
  const QueryFrame third{runs.timeline, *runs.timeline.runs()[2], 1200, {}, {}, runs.comparison};
  const std::string words = loss_query(third, settings).takeaway;
  EXPECT_NE(words.find("against A, inside the seed spread"), std::string::npos) << words;
}

TEST(SeedSpread, DriftAndDensityHaveItToo) {
  Runs runs;
  runs.add({.seed = 1});
  runs.add({.seed = 2});
  runs.add({.layers = 3, .seed = 1});
  runs.compare_all();
  EXPECT_EQ(drift_query(runs.frame(), {}).tracks.at(0).spreads.size(), 1u);
  const Picture density = density_query(runs.frame(), {});
  ASSERT_EQ(density.tracks.at(0).spreads.size(), 1u);
  EXPECT_TRUE(line_called(density.tracks[0], "A+B scope, spread of 2 seeds").is_spread);
}

TEST(SeedSpread, WhatIsProbedAndRecordedMakesNoOtherArm) {
  Runs runs;
  for (int number : {1, 2}) {
    test::SmallRun source;
    trace::Schema schema = *source.schema;
    schema.seed = static_cast<std::uint64_t>(number);
    schema.run_uuid[0] = static_cast<char>('0' + number);
    schema.experiment_json = fmt::format(
        R"({{"train":{{"seed":{},"steps":100}},"probe":{{"every":{}}},"recording":{{"budget":{}}}}})", number,
        number, number);
    runs.add(std::make_shared<const trace::Schema>(schema), {source.frame(0)});
  }
  runs.compare_all();
  EXPECT_EQ(seed_groups(compared_runs(runs.frame())).size(), 1u);
}

TEST(SeedSpread, OneSeedOfEachArmHasNone) {
  Runs runs;
  runs.add({.layers = 2, .seed = 1});
  runs.add({.layers = 3, .seed = 2});
  runs.compare_all();
  EXPECT_TRUE(loss_query(runs.frame(), {}).tracks.at(0).spreads.empty());
}

TEST(Overlay, RunsThatDifferInMoreStayApartAndTheTwinSaysSo) {
  Runs runs;
  runs.add({.layers = 2, .seed = 1});
  runs.add({.layers = 3, .seed = 2});
  runs.compare_all();
  LossSettings settings;
  settings.groups_seeds = true;
  const Picture picture = loss_query(runs.frame(), settings);
  EXPECT_EQ(picture.tracks.at(0).lines.size(), 5u) << "four named lines and the faint samples of the own run";
  EXPECT_TRUE(says(twin_of(picture), "no two of these runs differ only in their seed"));
  EXPECT_TRUE(says(twin_of(picture), "A → B: model.layers 2 → 3"));
}

TEST(Overlay, TheDifferenceToTheBaselineIsSaidOnlyWhereItDoesNotLie) {
  Runs runs;
  runs.add();
  runs.add();
  runs.comparison.baseline = 1;
  EXPECT_NE(loss_query(runs.frame(), {}).takeaway.find("; 0 against A, held-out 0"), std::string::npos)
      << loss_query(runs.frame(), {}).takeaway;
  runs.add({}, 120, data_note("c1", "t2"));
  runs.comparison.baseline = 2;
  EXPECT_EQ(loss_query(runs.frame(), {}).takeaway.find("against A"), std::string::npos);
  EXPECT_TRUE(says(twin_of(loss_query(runs.frame(), {})), "Tokenizer differs: nothing is subtracted"));
  runs.add({}, 60);
  runs.comparison.baseline = 3;
  EXPECT_NE(loss_query(runs.frame(), {}).takeaway.find("A has not come this far"), std::string::npos);
}

TEST(Overlay, FourLongRunsStayBelowTheVertexBudget) {
  Runs runs;
  for (std::uint64_t seed = 0; seed < kMostRunsCompared; ++seed) {
    test::SmallRun source(12, 10'000);
    trace::Schema schema = *source.schema;
    schema.run_uuid[0] = static_cast<char>('0' + seed);
    std::vector<float> theta(12);
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step < 10'000; ++step) {
      for (std::size_t layer = 0; layer < theta.size(); ++layer)
        theta[layer] = static_cast<float>(layer) + std::sin(static_cast<float>(step * (layer + seed + 1)));
      frames.push_back(source.frame(step, 3 + std::sin(static_cast<double>(step + seed)), theta));
    }
    runs.add(std::make_shared<const trace::Schema>(schema), frames);
  }
  test::NullScreen screen({3840, 2160}, Theme::Dark, 2);
  Selection selection;
  selection.comparison = all_beside(runs.timeline);
  for (const char* id : {"loss", "drift", "density"}) {
    const DrawHash drawn = test::draw_view(screen, *test::make_view(id), runs.timeline, selection);
    EXPECT_LE(drawn.vertices, 200'000) << id;
    EXPECT_GT(drawn.vertices, 5'000) << id;
  }
}

TEST(LockedTime, AnotherRunIsReadAtTheSamePlaceOfTheAxis) {
  Runs runs;
  runs.add({.positions = 24});
  viz::Run& longer = runs.add({.positions = 48});  // twice the tokens a step
  runs.timeline.cursor().seek(40);
  EXPECT_EQ(locked_step(runs.frame(), longer), 40u);
  runs.timeline.window().set_axis(TimeAxis::Tokens);
  EXPECT_EQ(locked_step(runs.frame(), longer), 19u) << "41 steps of 192 tokens are 20 of 384";
  runs.timeline.window().set_axis(TimeAxis::WallTime);
  EXPECT_EQ(locked_step(runs.frame(), longer), 40u);
  runs.timeline.cursor().seek(200);
  viz::Run& shorter = runs.add({}, 30);
  EXPECT_EQ(locked_step(runs.frame(), shorter), 29u) << "the last it has";
}

TEST(MapDifference, IsSymmetricAroundZeroAndRefusesOtherShapes) {
  const CellsPtr a = Cells::make(2, 2, {1, 2, 3, 4}), b = Cells::make(2, 2, {1, 2, 2, 7});
  const MapDifference difference = map_difference(a, b);
  EXPECT_EQ(difference.delta->at(1, 0).value, -1);
  EXPECT_EQ(difference.delta->at(1, 1).value, 3);
  EXPECT_EQ(difference.limits, (Range{-3, 3}));
  EXPECT_EQ(map_difference(a, a).limits, (Range{-1, 1})) << "nothing differs: the bar still has a width";
  EXPECT_THROW(map_difference(a, Cells::make(1, 2, {1, 2})), Error);
  EXPECT_EQ(difference_in_words(3, 2.5, "nats"), "A 3, B 2.5, Δ −0.5 nats");
  EXPECT_EQ(difference_in_words(0, 0, ""), "A 0, B 0, Δ 0");
}

}  // namespace
}  // namespace sparsescope::viz
