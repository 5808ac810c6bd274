// A million recorded edges of one layer over 4,096 tokens, for the budget test and the bench.
#pragma once

#include "viz/model/routing_content.h"
#include "viz/views/routing_batches.h"

namespace sparsescope::test {

inline viz::EdgeRollupPtr million_edges() {
  constexpr std::uint32_t kTokens = 4096;
  viz::RoutingPairs pairs;
  pairs.layers = 1;
  pairs.tokens = kTokens;
  std::uint64_t state = 7;
  for (int i = 0; i < 1'000'000; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    viz::RoutingPair pair;
    pair.query = static_cast<std::uint32_t>(state >> 33) % kTokens;
    pair.key = static_cast<std::uint32_t>(state >> 13) % (pair.query + 1);
    pair.mass = static_cast<std::int64_t>(state >> 40);
    pair.reason = static_cast<viz::RoutingReason>(state >> 60 & 1);
    pairs.recorded += viz::EdgeSums{pair.mass, 1};
    pairs.pairs.push_back(pair);
  }
  return std::make_shared<const viz::EdgeRollup>(std::move(pairs));
}

// What a camera over `shown` tokens sees of them.
inline viz::RoutingPicture million_edge_picture(const viz::EdgeRollupPtr& rollup, viz::Range shown,
                                                double pixels) {
  viz::RoutingInput input;
  input.rollup = rollup;
  input.window = viz::routing_window(rollup->tokens(), shown, pixels);
  input.last_layer = 0;
  input.words.assign(static_cast<std::size_t>(rollup->tokens()), "word");
  input.ids.assign(static_cast<std::size_t>(rollup->tokens()), 1);
  viz::RoutingPicture picture;
  picture.layers = 1;
  picture.layer = picture.first_layer = picture.last_layer = 0;
  picture.tokens = rollup->tokens();
  picture.content = viz::make_routing_content(input);
  return picture;
}

}  // namespace sparsescope::test
