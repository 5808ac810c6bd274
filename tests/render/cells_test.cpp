// Pyramids and queries of cells against the slow way, over odd shapes.
#include "viz/model/cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "engine/trace/error.h"
#include "tests/render/render_support.h"

namespace sparsescope::viz {
namespace {

using test::patterned_cells;

// The cells below one cell of a level.
CellBlock below(const Cells& cells, int down, int across, int row, int column) {
  CellBlock block{row << down, column << across, 0, 0};
  block.rows = std::min(1 << down, cells.rows() - block.row);
  block.columns = std::min(1 << across, cells.columns() - block.column);
  return block;
}

struct Slow {
  bool has_value = false, has_invalid = false;
  float strongest = 0;
  double sum = 0;
  int count = 0;
  float minimum = 0, maximum = 0;
};

Slow slowly(const Cells& cells, const CellBlock& block) {
  Slow out;
  for (int r = block.row; r < block.row + block.rows; ++r) {
    for (int c = block.column; c < block.column + block.columns; ++c) {
      const Cell cell = cells.at(r, c);
      out.has_invalid |= cell.state == CellState::Invalid;
      if (cell.state != CellState::Value) continue;
      const float value = cell.value;
      const bool beats = cells.fold() == Fold::Largest
                             ? value > out.strongest
                             : std::abs(value) > std::abs(out.strongest) ||
                                   (std::abs(value) == std::abs(out.strongest) && value > out.strongest);
      if (!out.has_value || beats) out.strongest = value;
      out.minimum = out.has_value ? std::min(out.minimum, value) : value;
      out.maximum = out.has_value ? std::max(out.maximum, value) : value;
      out.has_value = true;
      out.sum += static_cast<double>(value);
      ++out.count;
    }
  }
  return out;
}

using Shape = std::tuple<int, int, Fold>;
class CellsOfAnyShape : public testing::TestWithParam<Shape> {};

TEST_P(CellsOfAnyShape, EveryLevelFoldsWhatLiesBelow) {
  const auto [rows, columns, fold] = GetParam();
  const CellsPtr cells = patterned_cells(rows, columns, fold);
  for (int down = 0; down <= cells->levels_down(); ++down) {
    for (int across = 0; across <= cells->levels_across(); ++across) {
      const Cells::Level& level = cells->level(down, across);
      const Cells::Level& mean = cells->mean_level(down, across);
      ASSERT_EQ(level.rows, (rows + (1 << down) - 1) >> down);
      ASSERT_EQ(level.columns, (columns + (1 << across) - 1) >> across);
      for (int r = 0; r < level.rows; ++r) {
        for (int c = 0; c < level.columns; ++c) {
          const Slow slow = slowly(*cells, below(*cells, down, across, r, c));
          ASSERT_EQ(level.has_invalid(r, c), slow.has_invalid)
              << down << ' ' << across << ' ' << r << ' ' << c;
          ASSERT_EQ(std::isnan(level.value(r, c)), !slow.has_value);
          ASSERT_EQ(std::isnan(mean.value(r, c)), !slow.has_value);
          if (!slow.has_value) continue;
          ASSERT_EQ(level.value(r, c), slow.strongest) << down << ' ' << across << ' ' << r << ' ' << c;
          ASSERT_NEAR(mean.value(r, c), slow.sum / slow.count, 1e-6);
        }
      }
    }
  }
  EXPECT_EQ(cells->level(cells->levels_down(), cells->levels_across()).values.size(), 1u);
}

TEST_P(CellsOfAnyShape, ExtentAndStrongestAreThoseOfTheBlock) {
  const auto [rows, columns, fold] = GetParam();
  const CellsPtr cells = patterned_cells(rows, columns, fold, 7);
  unsigned state = 5;
  const auto random = [&](int most) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>((state >> 16) % static_cast<unsigned>(most));
  };
  for (int i = 0; i < 60; ++i) {
    CellBlock block{random(rows), random(columns), 0, 0};
    block.rows = 1 + random(rows - block.row);
    block.columns = 1 + random(columns - block.column);
    const Slow slow = slowly(*cells, block);
    const std::optional<Range> extent = cells->extent(block);
    ASSERT_EQ(extent.has_value(), slow.has_value);
    if (!extent) continue;
    EXPECT_EQ(static_cast<float>(extent->minimum), slow.minimum);
    EXPECT_EQ(static_cast<float>(extent->maximum), slow.maximum);
    EXPECT_EQ(cells->at(*cells->strongest(block)).value, slow.strongest);
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, CellsOfAnyShape,
                         testing::Combine(testing::Values(1, 2, 37, 130), testing::Values(1, 3, 64, 201),
                                          testing::Values(Fold::Largest, Fold::LargestMagnitude)));

TEST(Cells, OneHotCellIsSeenFromEveryLevel) {
  std::vector<float> values(4096ull * 4096ull, 0.f);
  values[1234ull * 4096 + 3211] = 1;
  const CellsPtr cells = Cells::make(4096, 4096, std::move(values));
  for (int level = 0; level <= 12; ++level) {
    EXPECT_EQ(cells->level(level, level).value(1234 >> level, 3211 >> level), 1) << level;
    EXPECT_EQ(cells->level(0, level).value(1234, 3211 >> level), 1) << level;
  }
  EXPECT_EQ(cells->strongest({0, 0, 4096, 4096}), (CellIndex{1234, 3211}));
  EXPECT_LT(cells->mean_level(4, 4).value(1234 >> 4, 3211 >> 4), 0.01f);
}

TEST(Cells, AbsentInvalidAndValueStayApart) {
  const float nothing = Cells::absent(), wrong = std::numeric_limits<float>::quiet_NaN();
  const CellsPtr cells = Cells::make(1, 4, {nothing, wrong, 0, -std::numeric_limits<float>::infinity()});
  EXPECT_EQ(cells->at(0, 0).state, CellState::Absent);
  EXPECT_EQ(cells->at(0, 1).state, CellState::Invalid);
  EXPECT_EQ(cells->at(0, 2).state, CellState::Value);
  EXPECT_EQ(cells->at(0, 3).state, CellState::Invalid);
  EXPECT_EQ(cells->invalid_count(), 2);
  EXPECT_EQ(cells->value_count(), 1);
}

TEST(Cells, DifferenceKeepsWhatIsMissing) {
  const float nothing = Cells::absent(), wrong = std::numeric_limits<float>::quiet_NaN();
  const CellsPtr a = Cells::make(1, 4, {1, nothing, wrong, 5});
  const CellsPtr b = Cells::make(1, 4, {3, 2, nothing, 1});
  const CellsPtr d = Cells::difference(*b, *a);
  EXPECT_EQ(d->at(0, 0).value, 2);
  EXPECT_EQ(d->at(0, 1).state, CellState::Absent);
  EXPECT_EQ(d->at(0, 2).state, CellState::Invalid);
  EXPECT_EQ(d->at(0, 3).value, -4);
  EXPECT_EQ(d->fold(), Fold::LargestMagnitude);
  EXPECT_THROW(Cells::difference(*a, *Cells::make(2, 2, {1, 2, 3, 4})), Error);
}

TEST(Cells, VersionIsTheContentAndNothingElse) {
  EXPECT_EQ(patterned_cells(40, 30, Fold::Largest)->version(),
            patterned_cells(40, 30, Fold::Largest)->version());
  EXPECT_NE(patterned_cells(40, 30, Fold::Largest)->version(),
            patterned_cells(30, 40, Fold::Largest)->version());
  EXPECT_NE(patterned_cells(40, 30, Fold::Largest)->version(),
            patterned_cells(40, 30, Fold::LargestMagnitude)->version());
  std::vector<float> values(1000, 0.5f);
  const std::uint64_t before = Cells::make(10, 100, values)->version();
  values[999] = 0.50001f;
  EXPECT_NE(Cells::make(10, 100, values)->version(), before);
  values[999] = 0.5f;
  EXPECT_EQ(Cells::make(10, 100, values)->version(), before);
}

TEST(Cells, LevelsAreChosenSoThatNoCellIsNarrowerThanAPixel) {
  const CellsPtr cells = Cells::make(64, 4096, std::vector<float>(64 * 4096));
  EXPECT_EQ(cells->level_for(1, 1), (std::pair{0, 0}));
  EXPECT_EQ(cells->level_for(0.01, 0.2), (std::pair{0, 0}));
  EXPECT_EQ(cells->level_for(2, 1), (std::pair{0, 1}));
  EXPECT_EQ(cells->level_for(2.01, 0.5), (std::pair{0, 2}));
  EXPECT_EQ(cells->level_for(1e9, 1e9), (std::pair{6, 12}));
}

TEST(Cells, QuantilesRiseAndEndAtTheExtent) {
  const CellsPtr cells = patterned_cells(300, 400, Fold::Largest);
  const std::span<const float> quantiles = cells->quantiles();
  ASSERT_EQ(quantiles.size(), 257u);
  EXPECT_TRUE(std::is_sorted(quantiles.begin(), quantiles.end()));
  EXPECT_EQ(quantiles.front(), static_cast<float>(cells->extent()->minimum));
  EXPECT_EQ(quantiles.back(), static_cast<float>(cells->extent()->maximum));
  const float median = quantiles[128];
  std::int64_t less = 0;
  for (const float value : cells->values()) less += value < median ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(less) / static_cast<double>(cells->value_count()), 0.5, 0.01);
  EXPECT_TRUE(Cells::make(1, 1, {Cells::absent()})->quantiles().empty());
}

TEST(Cells, ThePointerFindsTheFinestCell) {
  const CellsPtr cells = Cells::make(4, 10, std::vector<float>(40));
  EXPECT_EQ(cells->cell_at(0, 0), (CellIndex{0, 0}));
  EXPECT_EQ(cells->cell_at(0.55, 0.3), (CellIndex{1, 5}));
  EXPECT_EQ(cells->cell_at(1, 1), (CellIndex{3, 9}));
  EXPECT_FALSE(cells->cell_at(1.01, 0.5));
  EXPECT_FALSE(cells->cell_at(std::nan(""), 0.5));
}

TEST(Cells, NothingIsAMapToo) {
  const CellsPtr cells = Cells::make(0, 0, {});
  EXPECT_FALSE(cells->extent());
  EXPECT_FALSE(cells->cell_at(0.5, 0.5));
  EXPECT_THROW(Cells::make(2, 2, {1}), std::logic_error);
}

}  // namespace
}  // namespace sparsescope::viz
