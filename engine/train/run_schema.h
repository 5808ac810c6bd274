// The channels of a training run: names, axes, labels, units and words. Filling them is the business of the loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/trace/schema.h"

namespace sparsescope::train {

// The labels of `scalars` behind the loss terms, in order.
enum class Scalar {
  TotalLoss, LearningRate, GradientNorm, TokensSeen, TokensPerSecond, StepMs, DataMs, ForwardMs, BackwardMs, OptimizerMs,
  ProbeMs, EvaluationMs, MemoryBytes, BlockedMs, Count
};
const char* scalar_name(Scalar scalar);

inline constexpr std::int64_t kDeclaredTopRanks = 8;
inline constexpr std::int64_t kPooledBlocks = 128;     // at most, per side of scope_pooled
inline constexpr std::size_t kEdgeBytes = 20;

// What the channels depend on beyond the experiment.
struct SchemaFacts {
  std::vector<std::string> loss_terms;          // "cross_entropy", ...
  std::vector<std::int64_t> distinct_ids;       // of probe sequence 0, ascending; SPaRK only
  std::vector<std::string> attention_stats;     // labels
  std::int64_t probe_sequences = 0;
};

// Blocks per side of scope_pooled for probe sequences of `context` tokens: context / block with the smallest block that fits.
std::int64_t pooled_block(std::int64_t context);   // tokens per block
std::int64_t pooled_blocks(std::int64_t context);

// All channels of a run of `experiment`; mixers without thresholds lack the SPaRK channels. Not yet finished
// (trace::finish_schema); the caller adds run, parent, build and device.
std::vector<trace::Channel> run_channels(const experiments::Experiment& experiment, const SchemaFacts& facts);

}  // namespace sparsescope::train
