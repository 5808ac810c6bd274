// From rolled-up edges to the marks of a routing graph: which blocks are split, what the threshold hides,
// and where all the mass went. No samples, no sentences.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/routing_query.h"

namespace sparsescope::viz {

struct RoutingInput {
  EdgeRollupPtr rollup, other;  // other: what is subtracted, or null
  RoutingSettings settings;
  RoutingWindow window;
  std::int64_t first_layer = 0, last_layer = -1;
  std::optional<std::int64_t> token, second_token;  // locked
  std::vector<std::string> words;                   // of every token
  std::vector<std::int32_t> ids;
};

std::shared_ptr<const RoutingContent> make_routing_content(const RoutingInput& input);

// The cut for a window: blocks of 64 tokens that it touches are split to level `inside`, others to
// `outside`.
RoutingCut routing_cut(std::int64_t tokens, const RoutingWindow& window, std::size_t inside,
                       std::size_t outside);
}  // namespace sparsescope::viz
