// What a probe is: one channel, what it must observe, how it is reduced. The table of all probes. A probe
// reads a fixed batch of held-out text and touches no training state: on or off, the losses are the same
// bits. Taking them is prober.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/language_model.h"
#include "engine/model/observation.h"

namespace sparsescope::probes {

// The texts that all probes of a run look at. Sequence 0 may be exchanged for one of the same ids, as far as
// they still occur; the distinct ids stay.
struct ProbeBatch {
  at::Tensor ids;                          // [P,T] i64 on the model's device: held-out text
  at::Tensor repeated;                     // [P,2m] i64: a random block of m ids, twice; for induction
  std::vector<std::int64_t> distinct_ids;  // of sequence 0, ascending
  at::Tensor distinct;                     // [N] i64, the same on the device
};
// `probe_ids` [P * T] in rows. The random blocks come from `seed`, m = min(32, T/2) uniform ids.
ProbeBatch make_probe_batch(const std::vector<std::int32_t>& probe_ids, std::int64_t sequences,
                            const model::LanguageModel& model, std::uint64_t seed);

// What a probe reads of one layer, while its observations live.
struct LayerInput {
  const model::LanguageModel& model;
  const ProbeBatch& batch;
  std::int64_t layer = 0;
  const model::ObservationStore& seen;  // observed on batch.ids
  at::Tensor induction;  // [H] induction_score on batch.repeated; undefined unless weights are read
};

// The bytes of one row (dense) or of all elements (ragged) of the probe's channel.
using ProbeBytes = std::vector<std::byte>;

// Reductions run on the model's device, read nothing back and have shapes that do not depend on values: a
// graph can hold them.
struct Probe {
  std::string_view channel;
  enum class Models { Every, Spark } models;
  std::vector<model::Observation> needs;
  // One of the two; layers are stacked [L, ...].
  at::Tensor (*of_layer)(const LayerInput& input);
  at::Tensor (*of_logits)(const at::Tensor& logits, const ProbeBatch& batch);  // [P,T,V] on batch.ids
  // From the tensor on the host to the channel; null: its bytes as they are.
  ProbeBytes (*pack)(const at::Tensor& tensor);
};
// All probes, one line each.
const std::vector<Probe>& probes();

// One per file.
at::Tensor declared_of_layer(const LayerInput& input);         // [distinct ids, ceil(T/8)] u8, bits
at::Tensor declared_top_of_layer(const LayerInput& input);     // [T,8,2] f32: id, score
at::Tensor scope_pooled_of_layer(const LayerInput& input);     // [4,blocks,blocks] f16
at::Tensor attention_stats_of_layer(const LayerInput& input);  // [H,stats] f32
at::Tensor edges_of_layer(const LayerInput& input);            // [3,T,T] f32: reason code, score, weight
ProbeBytes pack_edges(const at::Tensor& pairs);                // [L,3,T,T] -> records of 20 bytes
at::Tensor surprisal(const at::Tensor& logits, const ProbeBatch& batch);    // [T] f32
at::Tensor predictions(const at::Tensor& logits, const ProbeBatch& batch);  // [T,5,2] f32: id, logp
// Labels of the axis `stat` of attention_stats for this model, in order.
std::vector<std::string> attention_stat_names(const experiments::ModelConfig& config);

}  // namespace sparsescope::probes
