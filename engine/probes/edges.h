// The record behind the probe `edges`: one pair of the routing graph, 20 bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sparsescope::probes {

inline constexpr std::uint16_t kNoHeir = 65535;
inline constexpr std::uint8_t kAllHeads = 255;

struct Edge {
  float score = 0;              // S[t,p]
  float weight = 0;             // attention weight, averaged over heads
  std::uint16_t t = 0, p = 0;   // query, key
  std::uint16_t via = kNoHeir;  // inherited pairs: the smallest q with direct[t,q] and direct[q,p]
  std::uint8_t layer = 0, head = kAllHeads;
  std::uint8_t kind = 0;  // kernels::ScopeReason, added up
  std::uint8_t padding[3] = {};
};
static_assert(sizeof(Edge) == 20);

// Appends all pairs in scope of one sequence of `tokens` tokens, by query, then key. The arrays are [T,T],
// row = query.
void append_edges(std::vector<Edge>& edges, std::uint8_t layer, std::int64_t tokens,
                  std::span<const std::uint8_t> reasons, std::span<const float> scores,
                  std::span<const float> weights);

}  // namespace sparsescope::probes
