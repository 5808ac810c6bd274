// Probe `declared`: which of the ids of probe sequence 0 each position declares: the cause, from which scopes
// are rebuilt. An id that an injected needle has pushed out of the sequence keeps its row.
#include <ATen/ops/where.h>

#include "engine/model/spark_statistics.h"
#include "engine/probes/probe.h"

namespace sparsescope::probes {

at::Tensor declared_of_layer(const LayerInput& input) {
  const at::Tensor ids = input.batch.ids[0], distinct = input.batch.distinct;
  const at::Tensor scores = input.seen.get(model::Observation::Scores, input.layer)[0];            // [T,T]
  const at::Tensor theta = input.seen.get(model::Observation::Theta, input.layer);                 // []
  const at::Tensor declaration = input.seen.get(model::Observation::Declaration, input.layer)[0];  // [T,r]
  const model::DeclaredIds present = model::declared_ids(scores, theta, ids, distinct);
  const at::Tensor absent =
      model::scores_of_ids(input.model, declaration, distinct).gt(theta.to(declaration.scalar_type()));
  return model::pack_bits(at::where(present.occurs.unsqueeze(1), present.bits, absent));
}

}  // namespace sparsescope::probes
