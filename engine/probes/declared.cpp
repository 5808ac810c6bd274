// Probe `declared`: which of the ids of probe sequence 0 each position declares: the cause, from which scopes
// are rebuilt.
#include <ATen/ops/stack.h>

#include "engine/model/spark_statistics.h"
#include "engine/probes/probe.h"

namespace sparsescope::probes {

ProbeBytes measure_declared(const ProbeInput& input) {
  std::vector<at::Tensor> layers;
  for (std::int64_t layer = 0; layer < input.model.config().layers; ++layer) {
    const at::Tensor scores = input.text.get(model::Observation::Scores, layer)[0];  // [T,T]
    const at::Tensor theta = input.text.get(model::Observation::Theta, layer);       // []
    const at::Tensor bits = model::declared_ids(scores, theta, input.batch.ids[0], input.batch.distinct_ids);
    layers.push_back(model::pack_bits(bits));  // [N, ceil(T/8)]
  }
  return bytes_of(at::stack(layers));
}

}  // namespace sparsescope::probes
