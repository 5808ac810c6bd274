// A matrix to be shown as a heatmap: values, what is absent, what is invalid, and its pyramids. No colours,
// no textures; a picture of any size is answered from a level that fits it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "viz/model/format.h"

namespace sparsescope::viz {

// How several cells become one: the largest value, or the one of largest magnitude with its sign (signed
// data).
enum class Fold { Largest, LargestMagnitude };

struct CellIndex {
  int row = 0, column = 0;
  bool operator==(const CellIndex&) const = default;
};

// Cells [row, row + rows) x [column, column + columns).
struct CellBlock {
  int row = 0, column = 0, rows = 0, columns = 0;
  bool operator==(const CellBlock&) const = default;
};

enum class CellState { Value, Absent, Invalid };
struct Cell {
  CellState state = CellState::Absent;
  float value = 0;  // only of a Value
};

class Cells;
using CellsPtr = std::shared_ptr<const Cells>;

// Immutable and shared; any thread may read. Cells of 4096 x 4096 take 64 MiB and their pyramid a third more.
class Cells {
 public:
  // Stands in `values` for what was not recorded. Any other value that is not finite is invalid.
  static float absent();
  static bool is_absent(float value);

  // `values` are rows * columns floats, row after row. Throws std::logic_error when their number differs.
  static CellsPtr make(int rows, int columns, std::vector<float> values, Fold fold = Fold::Largest);
  // b - a, cell by cell, folded by largest magnitude; absent where one of both is, invalid where one of both
  // is. Throws Error when the shapes differ.
  static CellsPtr difference(const Cells& b, const Cells& a);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  Fold fold() const { return fold_; }
  // A fingerprint of shape, fold and content: equal for equal cells on any machine, so textures and hashes of
  // pictures are keyed by it.
  std::uint64_t version() const { return version_; }

  Cell at(int row, int column) const;
  Cell at(CellIndex index) const { return at(index.row, index.column); }
  std::int64_t invalid_count() const { return invalid_count_; }
  std::int64_t value_count() const { return value_count_; }
  // Row after row; not a number where there is no value.
  std::span<const float> values() const { return base_.values; }

  // One step of a pyramid: cell (r, c) folds the cells [r << down, (r + 1) << down) x [c << across, ...).
  struct Level {
    int down = 0, across = 0;  // how often rows and columns were halved
    int rows = 0, columns = 0;
    std::vector<float> values;          // not a number: no value below
    std::vector<std::uint8_t> invalid;  // 1: something below is invalid; empty when nothing is anywhere

    float value(int row, int column) const { return values[index(row, column)]; }
    bool has_invalid(int row, int column) const {
      return !invalid.empty() && invalid[index(row, column)] != 0;
    }
    std::size_t index(int row, int column) const {
      return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
             static_cast<std::size_t>(column);
    }
  };
  // How often rows and columns can be halved until one is left.
  int levels_down() const;
  int levels_across() const;
  // Folded by `fold()`. Built on first use and kept; rows and columns are halved apart, so that a long map of
  // few rows keeps them.
  const Level& level(int down, int across) const;
  // The mean of the values below, each counted once; not a number where there are none.
  const Level& mean_level(int down, int across) const;
  // The finest level of which no cell is narrower than a pixel: nothing is skipped when every pixel shows the
  // cell under its centre.
  std::pair<int, int> level_for(double columns_per_pixel, double rows_per_pixel) const;

  // The smallest and largest value of a block; nothing when it has none. Exact at any size, fast.
  std::optional<Range> extent(const CellBlock& block) const;
  std::optional<Range> extent() const { return extent({0, 0, rows_, columns_}); }
  // The cell of a block that level() would show: the leaf the folded value came from; nothing without values.
  std::optional<CellIndex> strongest(const CellBlock& block) const;
  // 257 values that split the values into 256 equally many, from the smallest to the largest; of more than
  // 65,536 values an even sample is split. Empty without values. For the rank scale.
  std::span<const float> quantiles() const;

  // The finest cell at (across, down), each 0..1 from the first column and row to the last; nothing outside.
  std::optional<CellIndex> cell_at(double across, double down) const;

 private:
  Cells() = default;
  void take(std::vector<float> values);
  Range take_chunk(std::size_t first, int count);
  const Level& folded_level(int down, int across) const;
  std::unique_ptr<Level> mean_of(int down, int across) const;
  Range scan(const CellBlock& block) const;

  int rows_ = 0, columns_ = 0;
  Fold fold_ = Fold::Largest;
  std::uint64_t version_ = 0;
  std::int64_t invalid_count_ = 0, value_count_ = 0;
  Level base_;
  std::vector<Range> block_extents_;  // of blocks of 64 x 64; empty ones have minimum > maximum

  // Made on first use.
  mutable std::mutex mutex_;
  mutable std::map<std::pair<int, int>, std::unique_ptr<Level>> folded_, means_;
  mutable std::vector<float> quantiles_;
  mutable bool has_quantiles_ = false;
};

}  // namespace sparsescope::viz
