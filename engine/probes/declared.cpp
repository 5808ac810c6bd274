// Probe `declared`: which of the ids of probe sequence 0 each position declares: the cause, from which scopes
// are rebuilt. An id that an injected needle has pushed out of the sequence keeps its row.
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "engine/model/spark_statistics.h"
#include "engine/probes/probe.h"

namespace sparsescope::probes {
namespace {

// Bits [N,T] of batch.distinct_ids, in their order.
at::Tensor declared_bits(const ProbeInput& input, std::int64_t layer) {
  const at::Tensor ids = input.batch.ids[0];
  const at::Tensor scores = input.text.get(model::Observation::Scores, layer)[0];  // [T,T]
  const at::Tensor theta = input.text.get(model::Observation::Theta, layer);       // []
  const std::vector<std::int64_t> present = model::distinct_ids(ids);
  const auto& all = input.batch.distinct_ids;
  if (present == all) return model::declared_ids(scores, theta, ids, all);

  std::vector<std::int64_t> absent;
  std::set_difference(all.begin(), all.end(), present.begin(), present.end(), std::back_inserter(absent));
  const at::Tensor declaration = input.text.get(model::Observation::Declaration, layer)[0];  // [T,r]
  const at::Tensor seen = model::declared_ids(scores, theta, ids, present);
  const at::Tensor unseen =
      model::scores_of_ids(input.model, declaration, absent).gt(theta.to(declaration.scalar_type()));
  std::vector<at::Tensor> rows;
  for (std::int64_t id : all) {
    const auto at = std::lower_bound(present.begin(), present.end(), id);
    const bool is_present = at != present.end() && *at == id;
    rows.push_back(is_present ? seen[at - present.begin()]
                              : unseen[std::lower_bound(absent.begin(), absent.end(), id) - absent.begin()]);
  }
  return at::stack(rows);
}

}  // namespace

ProbeBytes measure_declared(const ProbeInput& input) {
  std::vector<at::Tensor> layers;
  for (std::int64_t layer = 0; layer < input.model.config().layers; ++layer)
    layers.push_back(model::pack_bits(declared_bits(input, layer)));  // [N, ceil(T/8)]
  return bytes_of(input, at::stack(layers));
}

}  // namespace sparsescope::probes
