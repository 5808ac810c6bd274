#include "engine/probes/probe.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/model/spark_statistics.h"

namespace sparsescope::probes {

using model::Observation;

const std::vector<Probe>& probes() {
  using Models = Probe::Models;
  static const std::vector<Probe> table = {
      {"declared",
       Models::Spark,
       {Observation::Scores, Observation::Theta, Observation::Declaration},
       declared_of_layer,
       nullptr,
       nullptr},
      {"declared_top", Models::Spark, {Observation::Declaration}, declared_top_of_layer, nullptr, nullptr},
      {"scope_pooled", Models::Spark, {Observation::Scope}, scope_pooled_of_layer, nullptr, nullptr},
      {"attention_stats",
       Models::Every,
       {Observation::AttentionLogits, Observation::AttentionWeights, Observation::Scope},
       attention_stats_of_layer,
       nullptr,
       nullptr},
      {"probe_surprisal", Models::Every, {}, nullptr, surprisal, nullptr},
      {"probe_predictions", Models::Every, {}, nullptr, predictions, nullptr},
      {"edges",
       Models::Spark,
       {Observation::Scores, Observation::Scope, Observation::AttentionWeights},
       edges_of_layer,
       nullptr,
       pack_edges},
  };
  return table;
}

ProbeBatch make_probe_batch(const std::vector<std::int32_t>& probe_ids, std::int64_t sequences,
                            const model::LanguageModel& model, std::uint64_t seed) {
  const std::int64_t T = static_cast<std::int64_t>(probe_ids.size()) / sequences;
  ProbeBatch batch;
  batch.ids = evaluate::ids_tensor(probe_ids, sequences, T, model.device());
  batch.distinct_ids = model::distinct_ids(batch.ids[0]);
  at::Tensor distinct = at::empty({std::ssize(batch.distinct_ids)}, at::TensorOptions().dtype(at::kLong));
  std::copy(batch.distinct_ids.begin(), batch.distinct_ids.end(), distinct.data_ptr<std::int64_t>());
  batch.distinct = distinct.to(model.device());

  const std::int64_t m = std::max<std::int64_t>(1, std::min<std::int64_t>(32, T / 2));
  data::Random random(seed);
  std::vector<std::int32_t> blocks(static_cast<std::size_t>(sequences * m));
  for (std::int32_t& id : blocks)
    id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(model.vocabulary())));
  const at::Tensor block = evaluate::ids_tensor(blocks, sequences, m, model.device());  // [P,m]
  batch.repeated = at::cat({block, block}, 1);                                          // [P,2m]
  return batch;
}

}  // namespace sparsescope::probes
