// What is declared in one layer of the probe sequence, counted from the recorded bits: by position, by id, as
// pairs, and how often it came true. Exact integers; no words, no drawing.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "engine/trace/frame.h"
#include "engine/trace/schema.h"

namespace sparsescope::viz {

// One layer of a row of the channel `declared`: a bit for each id of the sequence and each position.
class DeclaredLayer {
 public:
  // Throws Error when the channel lacks an axis or the row has another size than the axes say.
  DeclaredLayer(const trace::Channel& channel, std::shared_ptr<const trace::ChannelData> row,
                std::int64_t layer);

  std::int64_t positions() const { return positions_; }
  // Rows: the distinct ids of the sequence, rising.
  std::int64_t rows() const { return static_cast<std::int64_t>(ids_.size()); }
  const std::vector<std::int64_t>& ids() const { return ids_; }  // vocabulary ids; row numbers without labels
  bool has_labels() const { return has_labels_; }
  // Row of a vocabulary id, or -1.
  std::int64_t row_of(std::int64_t id) const;

  bool declares(std::int64_t position, std::int64_t row) const {
    return (bytes_[static_cast<std::size_t>(row) * row_bytes_ + static_cast<std::size_t>(position >> 3)] >>
                (position & 7) &
            1u) != 0;
  }
  // The bits of a row, position 0 in the lowest bit of the first byte; bits past the last position are clear.
  std::span<const std::uint8_t> bits(std::int64_t row) const {
    return bytes_.subspan(static_cast<std::size_t>(row) * row_bytes_, row_bytes_);
  }
  // How many of the first `end` positions declare the id of a row.
  std::int64_t count(std::int64_t row, std::int64_t end) const;

 private:
  std::shared_ptr<const trace::ChannelData> data_;
  std::span<const std::uint8_t> bytes_;  // of the layer
  std::size_t row_bytes_ = 0;
  std::int64_t positions_ = 0;
  std::vector<std::int64_t> ids_;
  bool has_labels_ = false;
};

// A declaration comes true when its id stands at one of the next `window` positions.
inline constexpr std::int64_t kAllThatFollows = std::numeric_limits<std::int64_t>::max();

struct DeclarationCounts {
  struct Tally {
    std::int64_t declared = 0, came_true = 0;
    bool operator==(const Tally&) const = default;
  };
  std::vector<Tally> by_position;  // over the ids of the sequence
  std::vector<Tally> by_row;       // over positions
  Tally total;
  // Pairs p < t in which p declared the id at t, by query t: what direct reading is made of.
  std::vector<std::int64_t> read_by_query;
  std::int64_t direct_pairs = 0, empty_queries = 0;
  std::int64_t unknown_positions = 0;  // their id is not on the axis: nothing is recorded of it as a query
  std::int64_t rows_declared = 0;      // ids that some position declares

  // direct_pairs over T(T-1)/2.
  double direct_density() const;
  double coverage() const;  // share of queries with at least one declaration in their past
  double hit_rate() const;  // not a number: nothing is declared
};

// `text`: the ids of the probe sequence; shorter than the layer's positions means that the rest is unknown.
DeclarationCounts count_declarations(const DeclaredLayer& layer, std::span<const std::int32_t> text,
                                     std::int64_t window);

// For each position the distance to the next later occurrence of `id`; kAllThatFollows: there is none.
std::vector<std::int64_t> distance_to_next(std::span<const std::int32_t> text, std::int64_t positions,
                                           std::int64_t id);

}  // namespace sparsescope::viz
