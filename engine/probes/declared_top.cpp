// Probe `declared_top`: the best-scored ids of the whole vocabulary for each position of probe sequence 0.
#include <ATen/ops/stack.h>

#include "engine/model/spark_statistics.h"
#include "engine/probes/probe.h"
#include "engine/probes/sizes.h"

namespace sparsescope::probes {

at::Tensor declared_top_of_layer(const LayerInput& input) {
  const at::Tensor declaration = input.seen.get(model::Observation::Declaration, input.layer)[0];  // [T,r]
  const model::DeclaredTop top =
      model::declared_top(input.model, declaration, kDeclaredTopRanks);       // [T,8] each
  return at::stack({top.ids.to(at::kFloat), top.scores.to(at::kFloat)}, -1);  // [T,8,2]
}

}  // namespace sparsescope::probes
