// What is asked of cells once they are made: extents, the strongest of a block, quantiles, the cell at a
// place.
#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/cells.h"
#include "viz/model/cells_fold.h"

namespace sparsescope::viz {
namespace {

constexpr std::size_t kMostSamples = 65'536;  // of quantiles: their error is then below 1/256 of a rank
constexpr int kQuantileCount = 257;

CellBlock clipped(const CellBlock& block, int rows, int columns) {
  const int top = std::clamp(block.row, 0, rows), left = std::clamp(block.column, 0, columns);
  const int bottom = std::clamp(block.row + block.rows, top, rows);
  const int right = std::clamp(block.column + block.columns, left, columns);
  return {top, left, bottom - top, right - left};
}

// Splits a block along the grid of kept extents. `visit(part, kept block or -1 when only a part of one)`.
template <typename Visit>
void each_part(const CellBlock& block, int rows, int columns, Visit visit) {
  const int across = (columns + kCellBlock - 1) / kCellBlock;
  for (int r = block.row; r < block.row + block.rows;) {
    const int next_r = std::min((r / kCellBlock + 1) * kCellBlock, block.row + block.rows);
    const bool whole_r = r % kCellBlock == 0 && (next_r % kCellBlock == 0 || next_r == rows);
    for (int c = block.column; c < block.column + block.columns;) {
      const int next_c = std::min((c / kCellBlock + 1) * kCellBlock, block.column + block.columns);
      const bool whole = whole_r && c % kCellBlock == 0 && (next_c % kCellBlock == 0 || next_c == columns);
      visit(CellBlock{r, c, next_r - r, next_c - c}, r / kCellBlock * across + c / kCellBlock, whole);
      c = next_c;
    }
    r = next_r;
  }
}

}  // namespace

// The extent of a block, cell by cell.
Range Cells::scan(const CellBlock& block) const {
  Range extent = kNoExtent;
  for (int r = block.row; r < block.row + block.rows; ++r) {
    const float* row = base_.values.data() + base_.index(r, 0);
    float low = std::numeric_limits<float>::infinity(), high = -low;
    for (int c = block.column; c < block.column + block.columns; ++c) {
      low = row[c] < low ? row[c] : low;
      high = row[c] > high ? row[c] : high;
    }
    extent = joined(extent, {low, high});
  }
  return extent;
}

std::optional<Range> Cells::extent(const CellBlock& wanted) const {
  Range extent = kNoExtent;
  each_part(clipped(wanted, rows_, columns_), rows_, columns_,
            [&](const CellBlock& part, int kept, bool whole) {
              const Range& bound = block_extents_[static_cast<std::size_t>(kept)];
              if (whole) {
                extent = joined(extent, bound);
              } else if (bound.minimum < extent.minimum || bound.maximum > extent.maximum) {
                extent = joined(extent, scan(part));
              }
            });
  if (extent.minimum > extent.maximum) return std::nullopt;
  return extent;
}

std::optional<CellIndex> Cells::strongest(const CellBlock& wanted) const {
  std::optional<CellIndex> found;
  float best = kNoValue;
  const auto beats = [&](float value) {
    return (fold_ == Fold::Largest ? larger(best, value) : larger_magnitude(best, value)) != best;
  };
  each_part(clipped(wanted, rows_, columns_), rows_, columns_, [&](const CellBlock& part, int kept, bool) {
    const Range& bound = block_extents_[static_cast<std::size_t>(kept)];
    if (bound.minimum > bound.maximum) return;
    if (found && !beats(static_cast<float>(bound.maximum)) &&
        (fold_ == Fold::Largest || !beats(static_cast<float>(bound.minimum))))
      return;
    for (int r = part.row; r < part.row + part.rows; ++r) {
      for (int c = part.column; c < part.column + part.columns; ++c) {
        const float value = base_.value(r, c);
        if (value != value || (found && !beats(value))) continue;
        best = value;
        found = CellIndex{r, c};
      }
    }
  });
  return found;
}

std::span<const float> Cells::quantiles() const {
  const std::lock_guard lock(mutex_);
  if (has_quantiles_) return quantiles_;
  has_quantiles_ = true;
  if (value_count_ == 0) return quantiles_;
  const std::size_t stride = (static_cast<std::size_t>(value_count_) + kMostSamples - 1) / kMostSamples;
  std::vector<float> sorted;
  sorted.reserve(static_cast<std::size_t>(value_count_) / stride + 1);
  std::size_t place = 0;
  for (const float value : base_.values) {
    if (value == value && place++ % stride == 0) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  const Range all = *extent();
  quantiles_.resize(kQuantileCount);
  for (int i = 0; i < kQuantileCount; ++i) {
    const double at = static_cast<double>(i) / (kQuantileCount - 1) * static_cast<double>(sorted.size() - 1);
    quantiles_[static_cast<std::size_t>(i)] = sorted[static_cast<std::size_t>(std::lround(at))];
  }
  quantiles_.front() = static_cast<float>(all.minimum);
  quantiles_.back() = static_cast<float>(all.maximum);
  return quantiles_;
}

std::optional<CellIndex> Cells::cell_at(double across, double down) const {
  if (!(across >= 0 && across <= 1 && down >= 0 && down <= 1) || rows_ == 0 || columns_ == 0)
    return std::nullopt;
  return CellIndex{std::min(rows_ - 1, static_cast<int>(down * rows_)),
                   std::min(columns_ - 1, static_cast<int>(across * columns_))};
}

}  // namespace sparsescope::viz
