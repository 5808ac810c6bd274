// The pairs of a routing graph from what was recorded: rows of the channel `edges`, or scopes rebuilt from
// the channel `declared`. No sums over blocks, no words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/trace/frame.h"
#include "engine/trace/schema.h"
#include "viz/model/edge_rollup.h"
#include "viz/model/token_scopes.h"

namespace sparsescope::viz {

inline constexpr std::int64_t kAllHeads = 255;  // of a record: the average over heads

// Which heads a row of `edges` has, and which one was taken.
struct RoutingHeads {
  std::int64_t taken = kAllHeads;
  bool has_single = false;  // some records are of one head
};

struct RecordedPairs {
  RoutingPairs pairs;
  RoutingHeads heads;
};

// The pairs of one head (the average when `head` is nothing or not there) from a row of `edges` over a
// sequence of `tokens` tokens in `layers` layers. Throws Error when the channel lacks a field.
RecordedPairs routing_pairs_from_edges(const trace::Channel& channel, const trace::ChannelData& row,
                                       std::int64_t layers, std::int64_t tokens,
                                       std::optional<std::int64_t> head);

// The same pairs without weights, rebuilt from a row of `declared`: p is direct for t when p < t declares the
// id of t; inherited over one heir when the experiment inherits; the recent window where nothing was
// declared; itself. `ids` of the probe sequence at that step. Throws Error when axes and bytes disagree.
RoutingPairs routing_pairs_from_declared(const trace::Channel& channel, const trace::ChannelData& row,
                                         std::span<const std::int32_t> ids, const ScopeRules& rules);

}  // namespace sparsescope::viz
