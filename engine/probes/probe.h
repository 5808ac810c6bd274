// What a probe is: one channel, what it must observe, how it is reduced. The table of all probes; running
// them together. A probe reads a fixed batch of held-out text and touches no training state: on or off, the
// losses are the same bits.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/language_model.h"
#include "engine/model/observation.h"

namespace sparsescope::probes {

// The texts that all probes of a run look at. Sequence 0 may be exchanged for one of the same ids, as far as
// they still occur; distinct_ids stay.
struct ProbeBatch {
  at::Tensor ids;                          // [P,T] i64 on the model's device: held-out text
  at::Tensor repeated;                     // [P,2m] i64: a random block of m ids, twice; for induction
  std::vector<std::int64_t> distinct_ids;  // of sequence 0, ascending
};
// `probe_ids` [P * T] in rows. The random blocks come from `seed`, m = min(32, T/2) uniform ids.
ProbeBatch make_probe_batch(const std::vector<std::int32_t>& probe_ids, std::int64_t sequences,
                            const model::LanguageModel& model, std::uint64_t seed);

// Milliseconds of a call; copy_ms, a part of probe_ms, is what moved results to the host after they were
// there.
struct ProbeTimes {
  double probe_ms = 0, copy_ms = 0;
};

struct ProbeInput {
  const model::LanguageModel& model;
  const ProbeBatch& batch;
  const at::Tensor& logits;                 // [P,T,V] on batch.ids
  const model::ObservationStore& text;      // observed on batch.ids
  const model::ObservationStore& repeated;  // observed on batch.repeated: AttentionWeights only
  ProbeTimes& times;                        // to_host adds to it
};

// The bytes of one row (dense) or of all elements (ragged) of the probe's channel.
using ProbeBytes = std::vector<std::byte>;

struct Probe {
  std::string_view channel;
  enum class Models { Every, Spark } models;
  std::vector<model::Observation> needs;
  ProbeBytes (*measure)(const ProbeInput& input);
};
// All probes, one line each.
const std::vector<Probe>& probes();

struct Measured {
  std::string_view channel;
  ProbeBytes bytes;
};
// Runs the model once over each text, without gradient, and measures the named channels that apply to it.
struct Probed {
  std::vector<Measured> measured;
  ProbeTimes times;
};
Probed run_probes(const model::LanguageModel& model, const ProbeBatch& batch,
                  std::span<const std::string_view> channels);

// The tensor on the host, contiguous, and its row-major bytes.
at::Tensor to_host(const ProbeInput& input, const at::Tensor& tensor);
ProbeBytes bytes_of(const ProbeInput& input, const at::Tensor& tensor);

// One per file.
ProbeBytes measure_declared(const ProbeInput& input);         // [L, distinct ids, ceil(T/8)] u8, bits
ProbeBytes measure_declared_top(const ProbeInput& input);     // [L,T,8,2] f32: id, score
ProbeBytes measure_scope_pooled(const ProbeInput& input);     // [L,4,blocks,blocks] f16
ProbeBytes measure_attention_stats(const ProbeInput& input);  // [L,H,stats] f32
ProbeBytes measure_edges(const ProbeInput& input);            // records of 20 bytes
ProbeBytes measure_surprisal(const ProbeInput& input);        // [T] f32
ProbeBytes measure_predictions(const ProbeInput& input);      // [T,5,2] f32: id, logp
// Labels of the axis `stat` of attention_stats for this model, in order.
std::vector<std::string> attention_stat_names(const experiments::ModelConfig& config);

}  // namespace sparsescope::probes
