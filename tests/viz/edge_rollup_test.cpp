// The laws of the roll-up: sums are integers, equal at every zoom and in any order.
#include "viz/model/edge_rollup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <tuple>

namespace sparsescope::viz {
namespace {

RoutingPairs random_pairs(std::int64_t layers, std::int64_t tokens, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  RoutingPairs made;
  made.layers = layers;
  made.tokens = tokens;
  for (std::size_t i = 0; i < count; ++i) {
    RoutingPair pair;
    pair.query = static_cast<std::uint32_t>(random() % static_cast<std::uint64_t>(tokens));
    pair.key = static_cast<std::uint32_t>(random() % (pair.query + 1));
    pair.layer = static_cast<std::uint16_t>(random() % static_cast<std::uint64_t>(layers));
    pair.reason = pair.query == pair.key ? RoutingReason::Self : static_cast<RoutingReason>(random() % 3);
    // From the largest weight down to far below what a float sum would keep.
    const double exponent = -static_cast<double>(random() % 32);
    pair.mass = *fixed_from_weight(static_cast<float>(std::exp2(exponent)));
    made.pairs.push_back(pair);
    made.recorded += {pair.mass, 1};
  }
  return made;
}

EdgeSums total(const std::vector<RoutingSum>& sums) {
  EdgeSums all;
  for (const RoutingSum& sum : sums) all += sum.sums;
  return all;
}

RoutingCut random_cut(std::int64_t tokens, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> levels;
  for (std::int64_t first = 0; first < tokens; first += kCoarsestBlock)
    levels.push_back(static_cast<std::uint8_t>(random() % kRoutingLevels));
  return {tokens, levels};
}

// Sums by brute force: (layer, query node, key node, reason).
std::map<std::tuple<int, std::size_t, std::size_t, int>, EdgeSums> slow_sums(const RoutingPairs& pairs,
                                                                             const RoutingCut& cut) {
  const auto node_of = [&](std::int64_t token) {
    for (std::size_t i = 0; i < cut.nodes().size(); ++i) {
      if (token >= cut.nodes()[i].first && token < cut.nodes()[i].end) return i;
    }
    return cut.nodes().size();
  };
  std::map<std::tuple<int, std::size_t, std::size_t, int>, EdgeSums> sums;
  for (const RoutingPair& pair : pairs.pairs)
    sums[{pair.layer, node_of(pair.query), node_of(pair.key), static_cast<int>(pair.reason)}] +=
        {pair.mass, 1};
  return sums;
}

TEST(EdgeRollup, SumsAreTheSameAtEveryZoomBitForBit) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (const std::int64_t tokens : {1, 15, 16, 17, 63, 64, 65, 130, 300}) {
      const EdgeRollup rollup(random_pairs(3, tokens, 4000, seed));
      for (std::size_t level = 0; level < kRoutingLevels; ++level) {
        const auto sums = rollup.sums(RoutingCut::uniform(tokens, level), 0, 2);
        EXPECT_EQ(total(sums), rollup.recorded()) << tokens << " tokens, level " << level;
      }
      for (std::uint64_t cut = 0; cut < 8; ++cut)
        EXPECT_EQ(total(rollup.sums(random_cut(tokens, 100 * seed + cut), 0, 2)), rollup.recorded());
    }
  }
}

TEST(EdgeRollup, EveryBlockIsTheSumOfItsLeaves) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::int64_t tokens = 64 * static_cast<std::int64_t>(seed) + 7;
    const RoutingPairs pairs = random_pairs(2, tokens, 3000, seed);
    const EdgeRollup rollup(pairs);
    for (std::uint64_t i = 0; i < 6; ++i) {
      const RoutingCut cut = i < kRoutingLevels ? RoutingCut::uniform(tokens, i) : random_cut(tokens, i);
      auto expected = slow_sums(pairs, cut);
      for (const RoutingSum& sum : rollup.sums(cut, 0, 1)) {
        const auto place = expected.find({sum.layer, sum.query, sum.key, static_cast<int>(sum.reason)});
        ASSERT_NE(place, expected.end());
        EXPECT_EQ(place->second, sum.sums);
        expected.erase(place);
      }
      EXPECT_TRUE(expected.empty());
    }
  }
}

TEST(EdgeRollup, TheOrderOfThePairsChangesNothing) {
  RoutingPairs pairs = random_pairs(2, 200, 20'000, 9);
  const EdgeRollup first(pairs);
  std::mt19937_64 random(4);
  for (int i = 0; i < 4; ++i) {
    std::shuffle(pairs.pairs.begin(), pairs.pairs.end(), random);
    const EdgeRollup other(pairs);
    for (std::uint64_t cut = 0; cut < 5; ++cut)
      EXPECT_EQ(first.sums(random_cut(200, cut), 0, 1), other.sums(random_cut(200, cut), 0, 1));
  }
}

TEST(EdgeRollup, LayersAreSummedApart) {
  const EdgeRollup rollup(random_pairs(4, 90, 5000, 3));
  EdgeSums all;
  for (std::int64_t layer = 0; layer < 4; ++layer) {
    EdgeSums of_layer;
    for (const EdgeSums& sums : rollup.layer(layer)) of_layer += sums;
    EXPECT_EQ(total(rollup.sums(RoutingCut::uniform(90, 1), layer, layer)), of_layer);
    all += of_layer;
  }
  EXPECT_EQ(all, rollup.recorded());
}

TEST(EdgeRollup, SaysHowManySumsALevelHas) {
  RoutingPairs pairs = random_pairs(3, 200, 9000, 5);
  std::set<std::tuple<int, std::uint32_t, std::uint32_t, int>> seen;
  std::erase_if(pairs.pairs, [&](const RoutingPair& pair) {
    return !seen.emplace(pair.layer, pair.query, pair.key, static_cast<int>(pair.reason)).second;
  });
  const EdgeRollup rollup(pairs);
  for (std::size_t level = 0; level < kRoutingLevels; ++level) {
    for (std::int64_t layer = 0; layer < 3; ++layer)
      EXPECT_EQ(rollup.count(level, layer, 2), rollup.sums(RoutingCut::uniform(200, level), layer, 2).size());
  }
}

TEST(EdgeRollup, CountsQueriesWithoutADirectPair) {
  RoutingPairs pairs;
  pairs.layers = 1;
  pairs.tokens = 3;
  pairs.pairs = {{1, 0, 0, 0, RoutingReason::Self},
                 {1, 1, 0, 0, RoutingReason::Direct},
                 {1, 2, 1, 0, RoutingReason::Fallback}};
  EXPECT_EQ(EdgeRollup(pairs).empty_rows(0), 2);
}

TEST(EdgeRollup, WeightsThatAreNoNumbersAreNotConverted) {
  EXPECT_EQ(fixed_from_weight(0.5f), std::int64_t{1} << 31);
  EXPECT_EQ(fixed_from_weight(1), std::int64_t{1} << 32);
  EXPECT_EQ(fixed_from_weight(-0.25f), -(std::int64_t{1} << 30));
  EXPECT_FALSE(fixed_from_weight(std::numeric_limits<float>::quiet_NaN()));
  EXPECT_FALSE(fixed_from_weight(std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(fixed_from_weight(3e20f));
}

TEST(EdgeRollup, APairCountsOnceForItsForemostReason) {
  EXPECT_EQ(foremost_reason(1 | 2), RoutingReason::Direct);
  EXPECT_EQ(foremost_reason(2), RoutingReason::Inherited);
  EXPECT_EQ(foremost_reason(4), RoutingReason::Fallback);
  EXPECT_EQ(foremost_reason(8), RoutingReason::Self);
  EXPECT_FALSE(foremost_reason(0));
}

TEST(RoutingCut, NodesCoverTheSequenceInOrder) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::int64_t tokens = 1 + static_cast<std::int64_t>(seed * 37 % 400);
    const RoutingCut cut = random_cut(tokens, seed);
    std::int64_t next = 0;
    for (std::size_t i = 0; i < cut.nodes().size(); ++i) {
      EXPECT_EQ(cut.nodes()[i].first, next);
      for (std::int64_t token = cut.nodes()[i].first; token < cut.nodes()[i].end; ++token)
        EXPECT_EQ(cut.node_of(token), i);
      next = cut.nodes()[i].end;
    }
    EXPECT_EQ(next, tokens);
  }
}

}  // namespace
}  // namespace sparsescope::viz
