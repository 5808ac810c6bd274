// The channels of a training run: names, axes, labels, units and words. Filling them is the business of the
// loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/trace/schema.h"

namespace sparsescope::train {

// The labels of `scalars` behind the loss terms, in order.
enum class Scalar {
  TotalLoss,
  LearningRate,
  GradientNorm,
  TokensSeen,
  TokensPerSecond,
  StepMs,
  DataMs,
  ForwardMs,
  BackwardMs,
  OptimizerMs,
  ProbeMs,
  EvaluationMs,
  MemoryBytes,
  BlockedMs,
  Count
};
const char* scalar_name(Scalar scalar);

// What the channels depend on beyond the experiment.
struct SchemaFacts {
  std::vector<std::string> loss_terms;       // "cross_entropy", ...
  std::vector<std::int64_t> distinct_ids;    // of probe sequence 0, ascending; SPaRK only
  std::vector<std::string> attention_stats;  // labels
  std::int64_t probe_sequences = 0;
};

// The contexts of the channel `needle`, as multiples of the training context: scheduled and on demand,
// ascending, each once.
std::vector<std::int64_t> needle_multiples(const experiments::EvaluationConfig& config);

// Whether evaluations also ask what the model loses with its hard scope: the forward pass is soft in
// training.
bool compares_hard_with_soft(const experiments::ModelConfig& model);

// All channels of a run of `experiment`; mixers without thresholds lack the SPaRK channels. Not yet finished
// (trace::finish_schema); the caller adds run, parent, build and device.
std::vector<trace::Channel> run_channels(const experiments::Experiment& experiment, const SchemaFacts& facts);

}  // namespace sparsescope::train
