// When a layer first passes a level: found against a plain search, said in words, drawn and told in the twin.
#include "viz/model/crossing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/viz/viz_support.h"
#include "viz/model/describe.h"
#include "viz/views/density_view.h"

namespace sparsescope::viz {
namespace {

using Kind = LayerCrossing::Kind;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const CrossingWords kDirect{"direct", "20 %", Side::Above};

Series series_of(const std::vector<double>& values) {
  Series series;
  for (const double value : values) series.append(value);
  return series;
}

// A run whose direct density of each layer is given step by step, ten steps apart.
struct DensityRun {
  explicit DensityRun(const std::vector<std::vector<float>>& by_layer)
      : source(static_cast<std::int64_t>(by_layer.size())) {
    std::vector<trace::FramePtr> frames;
    const auto channel =
        static_cast<std::uint32_t>(source.schema->find("density") - source.schema->channels.data());
    for (std::size_t i = 0; i < by_layer.front().size(); ++i) {
      const auto frame = source.frame(10 * i);
      for (trace::ChannelData& data : frame->data) {
        if (data.channel != channel) continue;
        auto* values = reinterpret_cast<float*>(data.bytes.data());
        const auto labels = static_cast<std::size_t>(source.schema->channels[channel].axes[1].size);
        const auto direct = static_cast<std::size_t>(source.schema->channels[channel].label_index(
            source.schema->channels[channel].axes[1].name, "direct"));
        for (std::size_t layer = 0; layer < by_layer.size(); ++layer)
          values[layer * labels + direct] = by_layer[layer][i];
      }
      frames.push_back(frame);
    }
    run = &timeline.add_run({test::mailbox_with(source.schema, frames)});
    timeline.drain_all();
  }
  QueryFrame frame() { return {timeline, *run, 800, {}}; }

  test::SmallRun source;
  Timeline timeline;
  viz::Run* run = nullptr;
};

// Layer 0 never, layer 1 at step 30, layer 2 from its first sample on.
DensityRun three_layers() {
  return DensityRun(
      {{0.05f, 0.06f, 0.1f, 0.1f, 0.1f}, {0.00f, 0.10f, 0.2f, 0.3f, 0.4f}, {0.50f, 0.10f, 0.3f, 0.1f, 0.1f}});
}

TEST(Crossing, OnlyStrictlyBeyondTheLevelCounts) {
  EXPECT_FALSE(first_beyond(series_of({0.1, 0.2, 0.2}), 0.2, Side::Above));
  EXPECT_EQ(first_beyond(series_of({0.1, 0.2, 0.21, 0.1}), 0.2, Side::Above), (Passed{2, 3}));
  EXPECT_FALSE(first_beyond(series_of({0.3, 0.2}), 0.2, Side::Below));
  EXPECT_EQ(first_beyond(series_of({0.3, 0.2, 0.1}), 0.2, Side::Below), (Passed{2, 3}));
  EXPECT_FALSE(first_beyond(Series(), 0.2, Side::Above));
}

TEST(Crossing, WhatIsNoNumberPassesNothing) {
  EXPECT_EQ(first_beyond(series_of({kNaN, 0.1, kNaN, 0.5}), 0.2, Side::Above), (Passed{3, 4}));
  EXPECT_FALSE(first_beyond(series_of({kNaN, std::numeric_limits<double>::infinity()}), 0.2, Side::Above));
}

TEST(Crossing, ThePyramidFindsWhatAPlainSearchFinds) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> value(0, 1);
  for (const std::size_t size : {1u, 15u, 16u, 17u, 255u, 256u, 257u, 4099u}) {
    std::vector<double> values;
    for (std::size_t i = 0; i < size; ++i) values.push_back(value(random) * static_cast<double>(i) / size);
    const Series series = series_of(values);
    for (const double level : {-1.0, 0.05, 0.3, 0.8, 0.97, 2.0}) {
      std::optional<Passed> expected;
      for (std::size_t i = 0; i < size && !expected; ++i) {
        if (values[i] > level) expected = Passed{i, i + 1};
      }
      EXPECT_EQ(first_beyond(series, level, Side::Above), expected) << size << " samples, level " << level;
    }
  }
}

TEST(Crossing, WhereSamplesWereThinnedItNamesTheSummaryThatHoldsIt) {
  Series series;
  for (int i = 0; i < 20'000; ++i) series.append(i);
  ASSERT_GT(series.thin_before(15'000), 0u);
  const std::optional<Passed> passed = first_beyond(series, 1000.5, Side::Above);
  ASSERT_TRUE(passed);
  EXPECT_LE(passed->first, 1001u);
  EXPECT_GT(passed->last, 1001u);
  EXPECT_LE(passed->last - passed->first, Series::kFanOut);
  const std::size_t exact = series.exact_from();
  EXPECT_EQ(first_beyond(series, static_cast<double>(exact) + 0.5, Side::Above),
            (Passed{exact + 1, exact + 2}));
}

TEST(Crossing, EachLayerSaysWhenOrThatItNeverDoesOrThatItBeganThere) {
  DensityRun runs = three_layers();
  const std::vector<LayerCrossing> found = layer_crossings(*runs.run, "density", "direct", 0.2, Side::Above);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].kind, Kind::Never);
  EXPECT_EQ(found[1], (LayerCrossing{1, Kind::Crossed, 30, 30})) << "at step 20 it only reaches the level";
  EXPECT_EQ(found[2], (LayerCrossing{2, Kind::FromTheStart, 0, 0}));
  EXPECT_EQ(crossing_in_words(kDirect, found[0]), "direct never above 20 % in layer 0");
  EXPECT_EQ(crossing_in_words(kDirect, found[1]), "direct first above 20 % in layer 1 at step 30");
  EXPECT_EQ(crossing_in_words(kDirect, found[2]),
            "direct above 20 % in layer 2 from the first sample, step 0");
  EXPECT_EQ(
      crossings_in_words(kDirect, found),
      "direct above 20 % from the first sample in layer 2; first above 20 % in layer 1 at step 30; never "
      "in layer 0");
}

TEST(Crossing, ManyLayersAreToldByTheEarliestAndCounted) {
  std::vector<LayerCrossing> crossings;
  for (std::int64_t layer = 0; layer < 6; ++layer)
    crossings.push_back({layer, Kind::Crossed, static_cast<std::uint64_t>(60 - 10 * layer),
                         static_cast<std::uint64_t>(60 - 10 * layer)});
  EXPECT_EQ(
      crossings_in_words(kDirect, crossings),
      "direct first above 20 % in layer 5 at step 10, layer 4 at step 20, layer 3 at step 30, layer 2 at "
      "step 40 and in 2 more layers by step 60");
  EXPECT_EQ(crossing_in_words(kDirect, {3, Kind::Crossed, 16, 31}),
            "direct first above 20 % in layer 3 at a step from 16 to 31");
  EXPECT_EQ(crossing_in_words(kDirect, {3, Kind::NotRecorded, 0, 0}), "no sample of direct in layer 3");
}

TEST(Crossing, TheKeyGoesFromOneToTheNextAndRoundTheEnd) {
  const std::vector<LayerCrossing> crossings = {
      {0, Kind::Never, 0, 0}, {1, Kind::Crossed, 30, 30}, {2, Kind::Crossed, 20, 20}};
  EXPECT_EQ(next_crossing(crossings, 0, {})->layer, 2);
  EXPECT_EQ(next_crossing(crossings, 20, {})->layer, 1);
  EXPECT_EQ(next_crossing(crossings, 30, {})->layer, 2);
  EXPECT_EQ(next_crossing(crossings, 0, 1)->step, 30u);
  EXPECT_EQ(next_crossing(crossings, 0, 0), nullptr);
}

TEST(Crossing, TheDensityViewSaysItMarksItAndListsIt) {
  DensityRun runs = three_layers();
  const Description description = describe("density", runs.frame());
  const std::string text = text_of(description.twin);
  EXPECT_NE(text.find("first above 20 % in layer 1 at step 30"), std::string::npos) << text;
  EXPECT_NE(text.find("direct never above 20 % in layer 0"), std::string::npos) << text;
  EXPECT_NE(text.find("first passed by layer 1\t30"), std::string::npos) << text;

  DensitySettings settings;
  settings.level_percent = 35;
  const Picture picture = density_query(runs.frame(), settings);
  const TrackPicture& layers = picture.tracks.back();
  ASSERT_EQ(layers.crossings.size(), 3u);
  EXPECT_EQ(layers.crossings[1].step, 40u);
  EXPECT_DOUBLE_EQ(layers.crossings[1].y, 0.35);
  EXPECT_TRUE(layers.crossings[2].is_from_the_start);
  EXPECT_EQ(layers.levels.front().command, "view.density.level_percent");
  EXPECT_NE(picture.takeaway.find("first above 35 % in layer 1 at step 40"), std::string::npos)
      << picture.takeaway;
}

TEST(Crossing, ThetaThatFallsIsLookedForBelowTheLevel) {
  test::SmallRun source(2);
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < 50; step += 10) {
    const auto down = static_cast<float>(step) / 20;
    frames.push_back(source.frame(step, 3, {3 - down, 3}));
  }
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames)});
  timeline.drain_all();
  DriftSettings settings;
  settings.show_crossing = true;
  const ThetaCrossings found = theta_crossings(run, settings);
  EXPECT_EQ(found.words.side, Side::Below);
  EXPECT_EQ(crossings_in_words(found.words, found.layers),
            "θ first below 2 σ in layer 0 at step 30; never in layer 1");
  const Picture picture = drift_query({timeline, run, 800, {}}, settings);
  EXPECT_NE(picture.takeaway.find("θ first below 2 σ in layer 0 at step 30"), std::string::npos);
  EXPECT_TRUE(picture.tracks.front().crossings.front().is_found);
  settings.show_crossing = false;
  EXPECT_TRUE(drift_query({timeline, run, 800, {}}, settings).tracks.front().crossings.empty());
}

TEST(Crossing, TheLevelIsASettingThatIsKeptAndStaysWithinItsRange) {
  DensityView view;
  EXPECT_EQ(view.settings().at("level_percent"), 20.0);
  view.set_settings({{"level_percent", 35.5}, {"part", "scope"}, {"by_layer", false}});
  const nlohmann::json kept = view.settings();
  DensityView again;
  again.set_settings(kept);
  EXPECT_EQ(again.settings(), kept);
  EXPECT_EQ(kept.at("part"), "scope");
  view.set_settings({{"level_percent", 400}, {"part", "unheard of"}});
  EXPECT_EQ(view.settings().at("level_percent"), 99.9);
  EXPECT_EQ(view.settings().at("part"), "scope");
}

TEST(Crossing, ARingIsDrawnWhereALayerPasses) {
  DensityRun runs = three_layers();
  Selection selection;
  test::NullScreen screen;
  const auto view = test::make_view("density");
  const DrawHash with = test::draw_view(screen, *view, runs.timeline, selection);
  view->set_settings({{"level_percent", 90}});
  const DrawHash without = test::draw_view(screen, *view, runs.timeline, selection);
  EXPECT_NE(with.value, without.value);
}

}  // namespace
}  // namespace sparsescope::viz
