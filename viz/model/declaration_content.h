// The matrix behind a declaration map: which rows and columns there are, in which order, and the value of
// each cell, here or against another step. Made once per probe and settings; no words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "viz/model/declaration_query.h"

namespace sparsescope::viz {

// The best-scored ids of each position, from one layer of a row of `declared_top`.
class TopScores {
 public:
  TopScores() = default;
  // Throws Error when the row has another size or type than its axes say.
  TopScores(const trace::Channel& channel, std::shared_ptr<const trace::ChannelData> row, std::int64_t layer);

  bool is_known() const { return data_ != nullptr; }
  std::int64_t positions() const { return positions_; }
  std::int64_t ranks() const { return ranks_; }
  struct Entry {
    std::int64_t id = -1;
    float score = 0;  // may be no number
  };
  // Nothing when the rank is empty (the vocabulary is smaller).
  std::optional<Entry> at(std::int64_t position, std::int64_t rank) const;

 private:
  std::shared_ptr<const trace::ChannelData> data_;
  std::span<const float> values_;
  std::int64_t positions_ = 0, ranks_ = 0, id_field_ = 0, score_field_ = 1, fields_ = 2;
};

// What was recorded of one layer at one probe.
struct DeclarationSample {
  DeclaredLayer layer;
  TopScores top;
  double theta = 0;  // not a number: not recorded
  std::uint64_t step = 0;
};

struct DeclarationGroup {
  std::int64_t id = -1;
  std::vector<std::int64_t> positions;  // one, or all that hold the id
};

struct DeclarationContent {
  // What it was made of; the samples hold their data.
  std::uint32_t run = 0, other_run = 0;
  std::int64_t layer_index = -1;
  DeclarationSettings settings;
  std::shared_ptr<const trace::ChannelData> bits, top, other_bits, other_top;
  std::vector<std::int32_t> text;
  std::uint64_t history_version = 0;

  std::shared_ptr<const DeclarationSample> sample, other;
  DeclarationCounts counts;
  std::optional<DeclarationCounts> other_counts;
  RowPlaces places;
  std::vector<DeclarationGroup> groups;  // rows
  struct Column {
    std::int64_t id = -1, row = -1;  // row of the layer; -1: not of the sequence
  };
  std::vector<Column> columns;
  std::unordered_map<std::int64_t, std::int64_t> column_of;  // by id
  CellsPtr cells;
  double low = 0, high = 1;
  std::int64_t scored = 0;            // declarations of the sequence's ids whose score is known
  std::int64_t others_scored = 0;     // scores above theta of ids that are no columns
  std::int64_t gained = 0, lost = 0;  // declarations of the sequence's ids, against the other sample
};

// Fills everything below what it was made of. `history` is asked for FirstStep only.
void fill_content(DeclarationContent& content, const DeclarationHistory& history);

}  // namespace sparsescope::viz
