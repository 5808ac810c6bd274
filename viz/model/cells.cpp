// Building and folding; cells_query.cpp answers. Loops over cells have no branch on a cell, so that the
// compiler can widen them.
#include "viz/model/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/trace/error.h"
#include "viz/model/cells_fold.h"
#include "viz/model/fingerprint.h"

namespace sparsescope::viz {
namespace {

constexpr std::uint32_t kAbsentBits = 0x7fc0ab5e;  // a quiet NaN that no arithmetic makes
constexpr std::uint32_t kExponent = 0x7f800000;    // all set: not finite

int halvings(int count) {
  return count <= 1 ? 0 : static_cast<int>(std::bit_width(static_cast<unsigned>(count - 1)));
}

template <typename T, typename Pick>
void fold_down(const std::vector<T>& from, int rows, int columns, std::vector<T>& to, int first_row,
               int to_row, std::vector<T>& line, bool across, Pick pick) {
  const T* a = from.data() + static_cast<std::size_t>(first_row) * static_cast<std::size_t>(columns);
  // A last row without a partner is folded with itself: the missing one is absent.
  const T* b = first_row + 1 < rows ? a + columns : a;
  const int out_columns = across ? (columns + 1) / 2 : columns;
  T* out = to.data() + static_cast<std::size_t>(to_row) * static_cast<std::size_t>(out_columns);
  T* folded = across ? line.data() : out;
  for (int c = 0; c < columns; ++c) folded[c] = pick(a[c], b[c]);
  if (!across) return;
  for (int c = 0; c < columns / 2; ++c) out[c] = pick(folded[2 * c], folded[2 * c + 1]);
  if (columns % 2 != 0) out[out_columns - 1] = folded[columns - 1];
}

template <typename T, typename Pick>
std::vector<T> fold(const std::vector<T>& from, int rows, int columns, bool down, bool across, Pick pick) {
  const int out_rows = down ? (rows + 1) / 2 : rows, out_columns = across ? (columns + 1) / 2 : columns;
  std::vector<T> to(static_cast<std::size_t>(out_rows) * static_cast<std::size_t>(out_columns));
  std::vector<T> line(static_cast<std::size_t>(columns));
  for (int r = 0; r < out_rows; ++r) {
    if (down) {
      fold_down(from, rows, columns, to, 2 * r, r, line, across, pick);
    } else {
      fold_down(from, r + 1, columns, to, r, r, line, across, pick);
    }
  }
  return to;
}

}  // namespace

float Cells::absent() { return std::bit_cast<float>(kAbsentBits); }
bool Cells::is_absent(float value) { return std::bit_cast<std::uint32_t>(value) == kAbsentBits; }

CellsPtr Cells::make(int rows, int columns, std::vector<float> values, Fold fold) {
  check(rows >= 0 && columns >= 0, "cells have no negative shape");
  check(values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
        fmt::format("{} values are no {} x {} cells", values.size(), rows, columns));
  std::shared_ptr<Cells> cells(new Cells);
  cells->rows_ = rows;
  cells->columns_ = columns;
  cells->fold_ = fold;
  cells->take(std::move(values));
  return cells;
}

CellsPtr Cells::difference(const Cells& b, const Cells& a) {
  if (a.rows_ != b.rows_ || a.columns_ != b.columns_) {
    throw Error(
        fmt::format("a map of {} x {} cells and one of {} x {} have no difference; compare maps of one shape",
                    b.rows_, b.columns_, a.rows_, a.columns_));
  }
  std::vector<float> values(b.base_.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = b.base_.values[i] - a.base_.values[i];
  const float nothing = absent();
  for (int r = 0; r < a.rows_; ++r) {
    for (int c = 0; c < a.columns_; ++c) {
      const std::size_t i = a.base_.index(r, c);
      if (values[i] == values[i]) continue;
      const bool is_invalid = a.base_.has_invalid(r, c) || b.base_.has_invalid(r, c);
      values[i] = is_invalid ? kNoValue : nothing;
    }
  }
  return make(a.rows_, a.columns_, std::move(values), Fold::LargestMagnitude);
}

// Takes over `count` values of one row: counts, marks what is invalid, and returns their extent.
Range Cells::take_chunk(std::size_t first, int count) {
  float* values = base_.values.data() + first;
  int special = 0;
  for (int i = 0; i < count; ++i)
    special += (std::bit_cast<std::uint32_t>(values[i]) & kExponent) == kExponent ? 1 : 0;
  value_count_ += count - special;
  if (special > 0) {
    for (int i = 0; i < count; ++i) {
      if ((std::bit_cast<std::uint32_t>(values[i]) & kExponent) != kExponent) continue;
      if (!is_absent(values[i])) {
        if (base_.invalid.empty()) base_.invalid.resize(base_.values.size());
        base_.invalid[first + static_cast<std::size_t>(i)] = 1;
        ++invalid_count_;
      }
      values[i] = kNoValue;
    }
    if (special == count) return kNoExtent;
  }
  constexpr int kWide = 16;
  float low[kWide], high[kWide];
  for (int k = 0; k < kWide; ++k) {
    low[k] = std::numeric_limits<float>::infinity();
    high[k] = -std::numeric_limits<float>::infinity();
  }
  int i = 0;
  for (; i + kWide <= count; i += kWide) {
    for (int k = 0; k < kWide; ++k) {
      const float value = values[i + k];  // not a number compares false and changes nothing
      low[k] = value < low[k] ? value : low[k];
      high[k] = value > high[k] ? value : high[k];
    }
  }
  for (; i < count; ++i) {
    low[0] = values[i] < low[0] ? values[i] : low[0];
    high[0] = values[i] > high[0] ? values[i] : high[0];
  }
  return {*std::min_element(low, low + kWide), *std::max_element(high, high + kWide)};
}

void Cells::take(std::vector<float> values) {
  base_.rows = rows_;
  base_.columns = columns_;
  base_.values = std::move(values);
  const int across = (columns_ + kCellBlock - 1) / kCellBlock, down = (rows_ + kCellBlock - 1) / kCellBlock;
  block_extents_.assign(static_cast<std::size_t>(across) * static_cast<std::size_t>(down), kNoExtent);
  for (int r = 0; r < rows_; ++r) {
    for (int block = 0; block < across; ++block) {
      const int column = block * kCellBlock;
      Range& extent = block_extents_[static_cast<std::size_t>(r / kCellBlock * across + block)];
      extent = joined(extent, take_chunk(base_.index(r, column), std::min(kCellBlock, columns_ - column)));
    }
  }
  const std::int32_t head[4] = {rows_, columns_, static_cast<std::int32_t>(fold_), 1};
  version_ = fingerprint(0x5ca1ab1e, head, sizeof head);
  version_ = fingerprint(version_, base_.values.data(), base_.values.size() * sizeof(float));
  if (!base_.invalid.empty()) version_ = fingerprint(version_, base_.invalid.data(), base_.invalid.size());
}

Cell Cells::at(int row, int column) const {
  check(row >= 0 && row < rows_ && column >= 0 && column < columns_, "a cell outside the map was asked for");
  const float value = base_.value(row, column);
  if (value == value) return {CellState::Value, value};
  return {base_.has_invalid(row, column) ? CellState::Invalid : CellState::Absent, 0};
}

int Cells::levels_down() const { return halvings(rows_); }
int Cells::levels_across() const { return halvings(columns_); }

const Cells::Level& Cells::level(int down, int across) const {
  const std::lock_guard lock(mutex_);
  return folded_level(down, across);
}

const Cells::Level& Cells::folded_level(int down, int across) const {
  check(down >= 0 && down <= levels_down() && across >= 0 && across <= levels_across(),
        "a level that the map does not have was asked for");
  if (down == 0 && across == 0) return base_;
  std::unique_ptr<Level>& kept = folded_[{down, across}];
  if (kept) return *kept;
  const Level& finer = folded_level(std::max(0, down - 1), std::max(0, across - 1));
  auto made = std::make_unique<Level>();
  made->down = down;
  made->across = across;
  made->rows = down > 0 ? (finer.rows + 1) / 2 : finer.rows;
  made->columns = across > 0 ? (finer.columns + 1) / 2 : finer.columns;
  const auto fold_values = [&](auto pick) {
    return sparsescope::viz::fold(finer.values, finer.rows, finer.columns, down > 0, across > 0, pick);
  };
  made->values = fold_ == Fold::Largest
                     ? fold_values([](float a, float b) { return larger(a, b); })
                     : fold_values([](float a, float b) { return larger_magnitude(a, b); });
  if (!finer.invalid.empty()) {
    made->invalid = sparsescope::viz::fold(
        finer.invalid, finer.rows, finer.columns, down > 0, across > 0,
        [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a | b); });
  }
  kept = std::move(made);
  return *kept;
}

const Cells::Level& Cells::mean_level(int down, int across) const {
  const std::lock_guard lock(mutex_);
  if (down == 0 && across == 0) return base_;
  std::unique_ptr<Level>& kept = means_[{down, across}];
  if (!kept) kept = mean_of(down, across);
  return *kept;
}

std::unique_ptr<Cells::Level> Cells::mean_of(int down, int across) const {
  const Level& folded = folded_level(down, across);
  auto made = std::make_unique<Level>();
  made->down = down;
  made->across = across;
  made->rows = folded.rows;
  made->columns = folded.columns;
  made->invalid = folded.invalid;
  made->values.resize(folded.values.size());
  std::vector<double> sums(static_cast<std::size_t>(folded.columns));
  std::vector<std::uint32_t> counts(sums.size());
  for (int out = 0; out < made->rows; ++out) {
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(counts.begin(), counts.end(), 0u);
    for (int r = out << down; r < std::min(rows_, (out + 1) << down); ++r) {
      const float* row = base_.values.data() + base_.index(r, 0);
      for (int c = 0; c < columns_; ++c) {
        const bool counts_here = row[c] == row[c];
        sums[static_cast<std::size_t>(c >> across)] += counts_here ? static_cast<double>(row[c]) : 0.0;
        counts[static_cast<std::size_t>(c >> across)] += counts_here ? 1 : 0;
      }
    }
    for (std::size_t c = 0; c < sums.size(); ++c) {
      made->values[made->index(out, 0) + c] =
          counts[c] > 0 ? static_cast<float>(sums[c] / counts[c]) : kNoValue;
    }
  }
  return made;
}

std::pair<int, int> Cells::level_for(double columns_per_pixel, double rows_per_pixel) const {
  const auto steps = [](double cells_per_pixel, int most) {
    constexpr double kRounding = 1e-9;  // of the division that made the number
    if (!(cells_per_pixel > 1 + kRounding)) return 0;
    return std::clamp(static_cast<int>(std::ceil(std::log2(cells_per_pixel) - kRounding)), 0, most);
  };
  return {steps(rows_per_pixel, levels_down()), steps(columns_per_pixel, levels_across())};
}

}  // namespace sparsescope::viz
