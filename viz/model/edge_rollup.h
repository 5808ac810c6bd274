// Exact sums of edges over blocks of tokens. Weights become 64-bit fixed point once; after that everything is
// integers, so that parents equal the sums of their leaves bit for bit, in any order. No words, no drawing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sparsescope::viz {

// Why a pair counts: a pair that is both direct and inherited is direct.
enum class RoutingReason : std::uint8_t { Direct, Inherited, Fallback, Self };
inline constexpr std::size_t kRoutingReasons = 4;
// From the bits 1 direct, 2 inherited, 4 fallback, 8 self; nothing: none of them is set.
std::optional<RoutingReason> foremost_reason(std::uint8_t kind);
const char* reason_name(RoutingReason reason);  // "direct"

// Weight x 2^32. Nothing: not a number, or too large to be a weight (above 2^20).
inline constexpr double kFixedOne = 4294967296.0;
std::optional<std::int64_t> fixed_from_weight(float weight);
inline double weight_from_fixed(std::int64_t mass) { return static_cast<double>(mass) / kFixedOne; }

struct EdgeSums {
  std::int64_t mass = 0;  // of attention, x 2^32
  std::int64_t pairs = 0;
  EdgeSums& operator+=(const EdgeSums& other) {
    mass += other.mass;
    pairs += other.pairs;
    return *this;
  }
  friend EdgeSums operator+(EdgeSums a, const EdgeSums& b) { return a += b; }
  friend EdgeSums operator-(const EdgeSums& a, const EdgeSums& b) {
    return {a.mass - b.mass, a.pairs - b.pairs};
  }
  bool operator==(const EdgeSums&) const = default;
};

// One pair in scope: `query` reads `key`.
struct RoutingPair {
  std::int64_t mass = 0;
  std::uint32_t query = 0, key = 0;
  std::uint16_t layer = 0;
  RoutingReason reason = RoutingReason::Direct;
};

// A row of pairs as it was recorded, or rebuilt.
struct RoutingPairs {
  std::int64_t layers = 0, tokens = 0;
  std::vector<RoutingPair> pairs;  // inside layers and tokens, key <= query
  EdgeSums recorded;               // of the whole row, misplaced ones too, summed in the order of the row
  std::int64_t misplaced = 0;      // pairs outside the sequence or the layers, or without a reason
  // Queries of pairs whose weight is no number, one entry a pair: these count, with mass 0.
  std::vector<std::uint32_t> invalid_queries;
  bool has_weights = true;
};

// Blocks of tokens, finest first; each is a multiple of the one before.
inline constexpr std::array<std::int64_t, 3> kRoutingBlocks = {1, 16, 64};
inline constexpr std::size_t kRoutingLevels = kRoutingBlocks.size();
inline constexpr std::int64_t kCoarsestBlock = kRoutingBlocks.back();

// Where the sequence is split: every block of 64 tokens stays whole or is split to one level.
class RoutingCut {
 public:
  RoutingCut() = default;
  // `level_of_coarse`: by block of 64 tokens, the index into kRoutingBlocks.
  RoutingCut(std::int64_t tokens, std::vector<std::uint8_t> level_of_coarse);
  static RoutingCut uniform(std::int64_t tokens, std::size_t level);

  struct Node {
    std::int64_t first = 0, end = 0;  // tokens
    std::int64_t size() const { return end - first; }
  };
  const std::vector<Node>& nodes() const { return nodes_; }
  std::int64_t tokens() const { return tokens_; }
  std::size_t level_of_coarse(std::int64_t coarse) const { return levels_[static_cast<std::size_t>(coarse)]; }
  std::size_t coarse_blocks() const { return levels_.size(); }
  // The node that holds a token.
  std::size_t node_of(std::int64_t token) const;
  bool operator==(const RoutingCut& other) const {
    return tokens_ == other.tokens_ && levels_ == other.levels_;
  }

 private:
  std::int64_t tokens_ = 0;
  std::vector<std::uint8_t> levels_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> first_node_;  // of each block of 64 tokens
};

// Everything that goes from one node to another in a layer, by reason.
struct RoutingSum {
  EdgeSums sums;
  std::uint32_t query = 0, key = 0;  // nodes of a cut
  std::uint16_t layer = 0;
  RoutingReason reason = RoutingReason::Direct;
  bool operator==(const RoutingSum&) const = default;
};

class EdgeRollup {
 public:
  explicit EdgeRollup(RoutingPairs pairs);

  std::int64_t layers() const { return layers_; }
  std::int64_t tokens() const { return tokens_; }
  bool has_weights() const { return has_weights_; }
  std::int64_t misplaced() const { return misplaced_; }
  // Queries of pairs whose weight is no number, one entry a pair.
  const std::vector<std::uint32_t>& invalid_queries() const { return invalid_queries_; }
  // As summed from the row itself, not from the blocks.
  const EdgeSums& recorded() const { return recorded_; }
  // Of one layer, by reason.
  const std::array<EdgeSums, kRoutingReasons>& layer(std::int64_t layer) const {
    return by_layer_[static_cast<std::size_t>(layer)];
  }
  // Queries of a layer without a direct pair.
  std::int64_t empty_rows(std::int64_t layer) const { return empty_rows_[static_cast<std::size_t>(layer)]; }

  // Sums over the nodes of a cut in [first_layer, last_layer], rising by layer, query, key, reason; without
  // nodes between which there is nothing. The same whatever the order of the pairs was.
  std::vector<RoutingSum> sums(const RoutingCut& cut, std::int64_t first_layer,
                               std::int64_t last_layer) const;

  // How many sums a cut of one level has; a pair that was recorded twice counts twice among single tokens.
  std::size_t count(std::size_t level, std::int64_t first_layer, std::int64_t last_layer) const;

 private:
  struct Cell {
    std::int64_t mass = 0;
    std::uint32_t pairs = 0;
    std::uint16_t key = 0;  // block of the level
    RoutingReason reason = RoutingReason::Direct;
  };
  // All cells of one level; rows[layer * blocks + query block] is where that row begins.
  struct Level {
    std::int64_t block = 1, blocks = 0;
    std::vector<Cell> cells;
    std::vector<std::uint32_t> rows;
  };
  void add_leaves(const RoutingPairs& pairs);
  void add_level(std::size_t level);
  void sum_row(const RoutingCut& cut, std::int64_t layer, std::size_t node, std::vector<EdgeSums>& room,
               std::vector<RoutingSum>& sums) const;

  std::int64_t layers_ = 0, tokens_ = 0, misplaced_ = 0;
  std::vector<std::uint32_t> invalid_queries_;
  bool has_weights_ = true;
  EdgeSums recorded_;
  std::array<Level, kRoutingLevels> levels_;
  std::vector<std::array<EdgeSums, kRoutingReasons>> by_layer_;
  std::vector<std::int64_t> empty_rows_;
};
using EdgeRollupPtr = std::shared_ptr<const EdgeRollup>;

}  // namespace sparsescope::viz
