// Laws of the colour maps and scales.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/render/render_support.h"
#include "viz/widgets/color_space.h"
#include "viz/widgets/color_vision.h"
#include "viz/widgets/colormaps.h"

namespace sparsescope {
namespace {

constexpr ColorMap kAll[] = {ColorMap::Cividis, ColorMap::Viridis, ColorMap::RdBu, ColorMap::BrBG,
                             ColorMap::Twilight};

double lightness(std::uint32_t color) { return oklab(color)[0]; }

TEST(ColorMaps, SequentialMapsGrowLighterForEveryEye) {
  for (const ColorMap map : {ColorMap::Cividis, ColorMap::Viridis}) {
    const auto& table = color_map(map);
    for (int vision = 0; vision < kColorVisions; ++vision) {
      const auto eye = static_cast<ColorVision>(vision);
      for (std::size_t i = 8; i < table.size(); i += 8)
        EXPECT_GT(lightness(simulated(table[i], eye)), lightness(simulated(table[i - 8], eye)))
            << color_map_name(map) << ' ' << i << ' ' << color_vision_name(eye);
    }
    EXPECT_GT(lightness(table[255]) - lightness(table[0]), 0.6);
  }
}

TEST(ColorMaps, DivergingMapsAreLightestInTheMiddleAndEqualToBothSides) {
  for (const ColorMap map : {ColorMap::RdBu, ColorMap::BrBG}) {
    const auto& table = color_map(map);
    EXPECT_TRUE(is_diverging(map));
    for (std::size_t i = 0; i < 128; ++i) {
      EXPECT_NEAR(lightness(table[i]), lightness(table[255 - i]), 0.02) << color_map_name(map) << ' ' << i;
      EXPECT_GT(lightness(table[i]), i >= 8 ? lightness(table[i - 8]) : 0);
    }
    // The two sides are told apart by every eye.
    for (int vision = 0; vision < kColorVisions; ++vision) {
      const auto eye = static_cast<ColorVision>(vision);
      EXPECT_GT(color_distance(simulated(table[32], eye), simulated(table[223], eye)), 0.1)
          << color_map_name(map) << ' ' << color_vision_name(eye);
    }
  }
}

TEST(ColorMaps, TheCyclicMapEndsWhereItBegins) {
  const auto& table = color_map(ColorMap::Twilight);
  EXPECT_LT(color_distance(table[0], table[255]), 0.01);
}

TEST(ColorMaps, NeighboursAreCloseAndNothingJumps) {
  for (const ColorMap map : kAll) {
    const auto& table = color_map(map);
    for (std::size_t i = 1; i < table.size(); ++i) EXPECT_LT(color_distance(table[i], table[i - 1]), 0.02);
  }
}

TEST(ColorMaps, UnderAndOverAreColoursNoMapHoldsForAnyEye) {
  for (const ColorMap map : kAll) {
    for (int vision = 0; vision < kColorVisions; ++vision) {
      const auto eye = static_cast<ColorVision>(vision);
      const std::uint32_t under = simulated(under_color(map), eye), over = simulated(over_color(map), eye);
      EXPECT_GT(color_distance(under, over), 0.08) << color_map_name(map) << ' ' << color_vision_name(eye);
      for (const std::uint32_t entry : color_map(map)) {
        EXPECT_GT(color_distance(under, simulated(entry, eye)), 0.06)
            << color_map_name(map) << color_vision_name(eye);
        EXPECT_GT(color_distance(over, simulated(entry, eye)), 0.06)
            << color_map_name(map) << color_vision_name(eye);
      }
    }
  }
}

TEST(ColorMaps, NamesLeadThereAndBack) {
  for (const ColorMap map : kAll) {
    ColorMap found{};
    ASSERT_TRUE(color_map_from_name(color_map_name(map), found));
    EXPECT_EQ(found, map);
  }
  ColorMap map{};
  EXPECT_FALSE(color_map_from_name("jet", map));
  ColorScaleKind kind{};
  for (const ColorScaleKind each :
       {ColorScaleKind::Linear, ColorScaleKind::Log, ColorScaleKind::Symlog, ColorScaleKind::Rank}) {
    ASSERT_TRUE(scale_from_name(scale_name(each), kind));
    EXPECT_EQ(kind, each);
  }
}

TEST(ColorScales, PlaceAndValueAreInverses) {
  const viz::CellsPtr cells = test::patterned_cells(50, 60, viz::Fold::Largest);
  for (const ColorScaleKind kind :
       {ColorScaleKind::Linear, ColorScaleKind::Log, ColorScaleKind::Symlog, ColorScaleKind::Rank}) {
    ColorScale scale = fitted_scale(*cells, ColorMap::Cividis, kind);
    for (float place = 0.02f; place < 1; place += 0.07f)
      EXPECT_NEAR(scale.normalised(scale.value_at(place)), place, 2e-4) << scale_name(kind) << ' ' << place;
  }
}

TEST(ColorScales, LimitsAreTheEndsOfTheMapAndBeyondIsNamed) {
  ColorScale scale;
  scale.low = 2;
  scale.high = 4;
  EXPECT_EQ(scale.color(2), color_map(scale.map)[0]);
  EXPECT_EQ(scale.color(4), color_map(scale.map)[255]);
  EXPECT_EQ(scale.color(1.999f), under_color(scale.map));
  EXPECT_EQ(scale.color(4.001f), over_color(scale.map));
}

TEST(ColorScales, SymmetricScalesPutZeroInTheMiddle) {
  for (const ColorScaleKind kind : {ColorScaleKind::Linear, ColorScaleKind::Symlog})
    EXPECT_NEAR(symmetric_scale(0.7f, ColorMap::RdBu, kind).normalised(0), 0.5, 1e-6);
  EXPECT_EQ(symmetric_scale(0).high, 1);
}

TEST(ColorScales, RankPlacesEqualValuesAtTheFirstOfThem) {
  std::vector<float> values(1000, 0.f);
  for (std::size_t i = 600; i < 1000; ++i) values[i] = static_cast<float>(i);
  const viz::CellsPtr cells = viz::Cells::make(10, 100, values);
  const ColorScale scale = fitted_scale(*cells, ColorMap::Cividis, ColorScaleKind::Rank);
  EXPECT_EQ(scale.normalised(0), 0);
  EXPECT_NEAR(scale.normalised(800), 0.8, 0.01);
  EXPECT_EQ(scale.normalised(999), 1);
}

TEST(ColorScales, LogShowsWhatIsNotPositiveAsUnder) {
  const viz::CellsPtr cells = viz::Cells::make(1, 3, {0, 0.01f, 10});
  const ColorScale scale = fitted_scale(*cells, ColorMap::Cividis, ColorScaleKind::Log);
  EXPECT_GT(scale.low, 0);
  EXPECT_EQ(scale.color(0), under_color(scale.map));
  EXPECT_EQ(scale.color(10), color_map(scale.map)[255]);
}

TEST(ColorScales, TheBarsTextNamesScaleLimitsAndUnit) {
  ColorScale scale;
  scale.kind = ColorScaleKind::Log;
  scale.low = 0.001f;
  EXPECT_EQ(scale_text(scale, "nats"), "log, 0.001 to 1 nats");
  scale.kind = ColorScaleKind::Linear;
  EXPECT_EQ(scale_text(scale, ""), "linear, 0.001 to 1");
}

}  // namespace
}  // namespace sparsescope
