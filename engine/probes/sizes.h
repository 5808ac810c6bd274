// Shapes that the probes and the schema must agree on. No torch.
#pragma once

#include <cstdint>

namespace sparsescope::probes {

inline constexpr std::int64_t kDeclaredTopRanks = 8;   // ids per position in declared_top
inline constexpr std::int64_t kPredictionRanks = 5;    // ids per position in probe_predictions
inline constexpr std::int64_t kMaxPooledBlocks = 128;  // per side of scope_pooled

// Tokens per block side so that a sequence of `context` tokens has at most kMaxPooledBlocks blocks.
inline std::int64_t pooled_block(std::int64_t context) {
  return (context + kMaxPooledBlocks - 1) / kMaxPooledBlocks;
}
inline std::int64_t pooled_blocks(std::int64_t context) {
  return (context + pooled_block(context) - 1) / pooled_block(context);
}

}  // namespace sparsescope::probes
