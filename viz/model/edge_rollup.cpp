#include "viz/model/edge_rollup.h"

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr double kLargestWeight = 1 << 20;
constexpr std::int64_t kMostTokens = 65536;

std::int64_t blocks_of(std::int64_t tokens, std::int64_t block) { return (tokens + block - 1) / block; }

}  // namespace

std::optional<RoutingReason> foremost_reason(std::uint8_t kind) {
  if ((kind & 1) != 0) return RoutingReason::Direct;
  if ((kind & 2) != 0) return RoutingReason::Inherited;
  if ((kind & 4) != 0) return RoutingReason::Fallback;
  if ((kind & 8) != 0) return RoutingReason::Self;
  return std::nullopt;
}

const char* reason_name(RoutingReason reason) {
  constexpr const char* kNames[] = {"direct", "inherited", "fallback", "self"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::optional<std::int64_t> fixed_from_weight(float weight) {
  if (!std::isfinite(weight) || std::abs(weight) > kLargestWeight) return std::nullopt;
  return std::llround(static_cast<double>(weight) * kFixedOne);
}

RoutingCut::RoutingCut(std::int64_t tokens, std::vector<std::uint8_t> level_of_coarse)
    : tokens_(tokens), levels_(std::move(level_of_coarse)) {
  check(std::ssize(levels_) == blocks_of(tokens, kCoarsestBlock), "a cut names every block of 64 tokens");
  for (std::size_t coarse = 0; coarse < levels_.size(); ++coarse) {
    first_node_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    const std::int64_t block = kRoutingBlocks.at(levels_[coarse]);
    const std::int64_t begin = static_cast<std::int64_t>(coarse) * kCoarsestBlock,
                       end = std::min(begin + kCoarsestBlock, tokens);
    for (std::int64_t first = begin; first < end; first += block)
      nodes_.push_back({first, std::min(first + block, end)});
  }
}

RoutingCut RoutingCut::uniform(std::int64_t tokens, std::size_t level) {
  const auto blocks = static_cast<std::size_t>(blocks_of(tokens, kCoarsestBlock));
  return {tokens, std::vector<std::uint8_t>(blocks, static_cast<std::uint8_t>(level))};
}

std::size_t RoutingCut::node_of(std::int64_t token) const {
  const auto coarse = static_cast<std::size_t>(token / kCoarsestBlock);
  return first_node_[coarse] +
         static_cast<std::size_t>(token % kCoarsestBlock / kRoutingBlocks[levels_[coarse]]);
}

EdgeRollup::EdgeRollup(RoutingPairs pairs)
    : layers_(pairs.layers),
      tokens_(pairs.tokens),
      misplaced_(pairs.misplaced),
      invalid_queries_(std::move(pairs.invalid_queries)),
      has_weights_(pairs.has_weights),
      recorded_(pairs.recorded) {
  check(tokens_ <= kMostTokens, "a routing graph has at most 65,536 tokens");
  by_layer_.resize(static_cast<std::size_t>(layers_));
  for (std::size_t level = 0; level < kRoutingLevels; ++level) {
    levels_[level].block = kRoutingBlocks[level];
    levels_[level].blocks = blocks_of(tokens_, kRoutingBlocks[level]);
  }
  add_leaves(pairs);
  for (std::size_t level = 1; level < kRoutingLevels; ++level) add_level(level);
}

void EdgeRollup::add_leaves(const RoutingPairs& pairs) {
  Level& leaves = levels_[0];
  const auto rows = static_cast<std::size_t>(layers_ * tokens_);
  leaves.rows.assign(rows + 1, 0);
  const auto row_of = [this](const RoutingPair& pair) {
    return static_cast<std::size_t>(pair.layer * tokens_ + pair.query);
  };
  for (const RoutingPair& pair : pairs.pairs) ++leaves.rows[row_of(pair) + 1];
  for (std::size_t row = 0; row < rows; ++row) leaves.rows[row + 1] += leaves.rows[row];
  leaves.cells.resize(pairs.pairs.size());
  std::vector<std::uint32_t> next(leaves.rows.begin(), leaves.rows.end() - 1);
  std::vector<bool> has_direct(rows, false);
  for (const RoutingPair& pair : pairs.pairs) {
    const std::size_t row = row_of(pair);
    leaves.cells[next[row]++] = {pair.mass, 1, static_cast<std::uint16_t>(pair.key), pair.reason};
    by_layer_[pair.layer][static_cast<std::size_t>(pair.reason)] += {pair.mass, 1};
    if (pair.reason == RoutingReason::Direct) has_direct[row] = true;
  }
  for (std::int64_t layer = 0; layer < layers_; ++layer) {
    const auto first = has_direct.begin() + layer * tokens_;
    empty_rows_.push_back(std::count(first, first + tokens_, false));
  }
}

void EdgeRollup::add_level(std::size_t level) {
  const Level& finer = levels_[level - 1];
  Level& made = levels_[level];
  const std::int64_t ratio = made.block / finer.block;
  std::vector<EdgeSums> room(static_cast<std::size_t>(made.blocks) * kRoutingReasons);
  for (std::int64_t layer = 0; layer < layers_; ++layer) {
    for (std::int64_t row = 0; row < made.blocks; ++row) {
      made.rows.push_back(static_cast<std::uint32_t>(made.cells.size()));
      const std::int64_t first = layer * finer.blocks + row * ratio,
                         end = layer * finer.blocks + std::min((row + 1) * ratio, finer.blocks);
      const std::uint32_t from = finer.rows[static_cast<std::size_t>(first)],
                          to = finer.rows[static_cast<std::size_t>(end)];
      for (std::uint32_t i = from; i < to; ++i) {
        const Cell& cell = finer.cells[i];
        room[static_cast<std::size_t>(cell.key / ratio) * kRoutingReasons +
             static_cast<std::size_t>(cell.reason)] += {cell.mass, cell.pairs};
      }
      for (std::size_t i = 0; i < static_cast<std::size_t>(row + 1) * kRoutingReasons; ++i) {
        if (room[i].pairs == 0) continue;
        made.cells.push_back({room[i].mass, static_cast<std::uint32_t>(room[i].pairs),
                              static_cast<std::uint16_t>(i / kRoutingReasons),
                              static_cast<RoutingReason>(i % kRoutingReasons)});
        room[i] = {};
      }
    }
  }
  made.rows.push_back(static_cast<std::uint32_t>(made.cells.size()));
}

void EdgeRollup::sum_row(const RoutingCut& cut, std::int64_t layer, std::size_t node,
                         std::vector<EdgeSums>& room, std::vector<RoutingSum>& sums) const {
  const RoutingCut::Node& query = cut.nodes()[node];
  const std::size_t own = cut.level_of_coarse(query.first / kCoarsestBlock);
  // Two nodes meet at the finer of their levels: there the cells lie inside both.
  for (std::size_t level = 0; level <= own; ++level) {
    const Level& table = levels_[level];
    const auto first = static_cast<std::size_t>(layer * table.blocks + query.first / table.block),
               end = static_cast<std::size_t>(layer * table.blocks + blocks_of(query.end, table.block));
    const std::int64_t per_coarse = kCoarsestBlock / table.block;
    for (std::uint32_t i = table.rows[first]; i < table.rows[end]; ++i) {
      const Cell& cell = table.cells[i];
      if (std::min(own, cut.level_of_coarse(cell.key / per_coarse)) != level) continue;
      const std::size_t key = cut.node_of(cell.key * table.block);
      room[key * kRoutingReasons + static_cast<std::size_t>(cell.reason)] += {cell.mass, cell.pairs};
    }
  }
  for (std::size_t i = 0; i < (node + 1) * kRoutingReasons; ++i) {
    if (room[i].pairs == 0) continue;
    sums.push_back({room[i], static_cast<std::uint32_t>(node),
                    static_cast<std::uint32_t>(i / kRoutingReasons), static_cast<std::uint16_t>(layer),
                    static_cast<RoutingReason>(i % kRoutingReasons)});
    room[i] = {};
  }
}

std::vector<RoutingSum> EdgeRollup::sums(const RoutingCut& cut, std::int64_t first_layer,
                                         std::int64_t last_layer) const {
  check(cut.tokens() == tokens_, "a cut is of as many tokens as the roll-up");
  std::vector<RoutingSum> sums;
  std::vector<EdgeSums> room(cut.nodes().size() * kRoutingReasons);
  for (std::int64_t layer = first_layer; layer <= last_layer; ++layer) {
    for (std::size_t node = 0; node < cut.nodes().size(); ++node) sum_row(cut, layer, node, room, sums);
  }
  return sums;
}

std::size_t EdgeRollup::count(std::size_t level, std::int64_t first_layer, std::int64_t last_layer) const {
  const Level& table = levels_[level];
  return table.rows[static_cast<std::size_t>((last_layer + 1) * table.blocks)] -
         table.rows[static_cast<std::size_t>(first_layer * table.blocks)];
}

}  // namespace sparsescope::viz
