// Shapes that the probes and the schema must agree on. No torch.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace sparsescope::probes {

inline constexpr std::int64_t kDeclaredTopRanks = 8;   // ids per position in declared_top
inline constexpr std::int64_t kPredictionRanks = 5;    // ids per position in probe_predictions
inline constexpr std::int64_t kMaxPooledBlocks = 128;  // per side of scope_pooled

// The channels that probes fill, in the order of their table.
inline constexpr std::array<std::string_view, 7> kProbeChannels = {
    "declared",        "declared_top",      "scope_pooled", "attention_stats",
    "probe_surprisal", "probe_predictions", "edges"};
inline bool is_probe_channel(std::string_view channel) {
  return std::find(kProbeChannels.begin(), kProbeChannels.end(), channel) != kProbeChannels.end();
}

// Tokens per block side so that a sequence of `context` tokens has at most kMaxPooledBlocks blocks.
inline std::int64_t pooled_block(std::int64_t context) {
  return (context + kMaxPooledBlocks - 1) / kMaxPooledBlocks;
}
inline std::int64_t pooled_blocks(std::int64_t context) {
  return (context + pooled_block(context) - 1) / pooled_block(context);
}

}  // namespace sparsescope::probes
