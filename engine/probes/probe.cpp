#include "engine/probes/probe.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/model/spark_statistics.h"
#include "engine/trace/error.h"

namespace sparsescope::probes {

using model::Observation;

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

const std::vector<Probe>& probes() {
  using Models = Probe::Models;
  static const std::vector<Probe> table = {
      {"declared",
       Models::Spark,
       {Observation::Scores, Observation::Theta, Observation::Declaration},
       measure_declared},
      {"declared_top", Models::Spark, {Observation::Declaration}, measure_declared_top},
      {"scope_pooled", Models::Spark, {Observation::Scope}, measure_scope_pooled},
      {"attention_stats",
       Models::Every,
       {Observation::AttentionLogits, Observation::AttentionWeights, Observation::Scope},
       measure_attention_stats},
      {"probe_surprisal", Models::Every, {}, measure_surprisal},
      {"probe_predictions", Models::Every, {}, measure_predictions},
      {"edges",
       Models::Spark,
       {Observation::Scores, Observation::Scope, Observation::AttentionWeights},
       measure_edges},
  };
  return table;
}

ProbeBatch make_probe_batch(const std::vector<std::int32_t>& probe_ids, std::int64_t sequences,
                            const model::LanguageModel& model, std::uint64_t seed) {
  const std::int64_t T = static_cast<std::int64_t>(probe_ids.size()) / sequences;
  ProbeBatch batch;
  batch.ids = evaluate::ids_tensor(probe_ids, sequences, T, model.device());
  batch.distinct_ids = model::distinct_ids(batch.ids[0]);

  const std::int64_t m = std::max<std::int64_t>(1, std::min<std::int64_t>(32, T / 2));
  data::Random random(seed);
  std::vector<std::int32_t> blocks(static_cast<std::size_t>(sequences * m));
  for (std::int32_t& id : blocks)
    id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(model.vocabulary())));
  const at::Tensor block = evaluate::ids_tensor(blocks, sequences, m, model.device());  // [P,m]
  batch.repeated = at::cat({block, block}, 1);                                          // [P,2m]
  return batch;
}

Probed run_probes(const model::LanguageModel& model, const ProbeBatch& batch,
                  std::span<const std::string_view> channels) {
  const at::NoGradGuard no_grad;
  const Clock::time_point start = Clock::now();
  Probed probed;
  const bool is_spark = model.config().mixer == experiments::MixerKind::Spark;
  std::vector<const Probe*> wanted;
  std::set<Observation> needs;
  for (const Probe& probe : probes()) {
    const bool is_asked = std::find(channels.begin(), channels.end(), probe.channel) != channels.end();
    if (!is_asked || (probe.models == Probe::Models::Spark && !is_spark)) continue;
    wanted.push_back(&probe);
    needs.insert(probe.needs.begin(), probe.needs.end());
  }
  if (wanted.empty()) return probed;

  model::ObservationStore text({needs.begin(), needs.end()});
  const at::Tensor logits = model.forward(batch.ids, {.observer = &text}).logits;
  model::ObservationStore repeated({Observation::AttentionWeights});
  if (needs.contains(Observation::AttentionWeights)) model.forward(batch.repeated, {.observer = &repeated});

  const ProbeInput input{model, batch, logits, text, repeated, probed.times};
  for (const Probe* probe : wanted) probed.measured.push_back({probe->channel, probe->measure(input)});
  probed.times.probe_ms = milliseconds_since(start);
  return probed;
}

at::Tensor to_host(const ProbeInput& input, const at::Tensor& tensor) {
  const at::Tensor ready = tensor.contiguous();
  // Waiting for what is still being computed is no part of the copy.
  const at::Device device = ready.device();
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  const Clock::time_point start = Clock::now();
  const at::Tensor host = ready.to(at::kCPU);
  input.times.copy_ms += milliseconds_since(start);
  return host;
}

ProbeBytes bytes_of(const ProbeInput& input, const at::Tensor& tensor) {
  const at::Tensor host = to_host(input, tensor);
  const Clock::time_point start = Clock::now();
  ProbeBytes bytes(static_cast<std::size_t>(host.numel()) * host.element_size());
  if (!bytes.empty()) std::memcpy(bytes.data(), host.data_ptr(), bytes.size());
  input.times.copy_ms += milliseconds_since(start);
  return bytes;
}

}  // namespace sparsescope::probes
