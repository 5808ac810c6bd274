// Probe `declared_top`: the best-scored ids of the whole vocabulary for each position of probe sequence 0.
#include <ATen/ops/stack.h>

#include "engine/model/spark_statistics.h"
#include "engine/probes/probe.h"
#include "engine/probes/sizes.h"

namespace sparsescope::probes {

ProbeBytes measure_declared_top(const ProbeInput& input) {
  std::vector<at::Tensor> layers;
  for (std::int64_t layer = 0; layer < input.model.config().layers; ++layer) {
    const at::Tensor declaration = input.text.get(model::Observation::Declaration, layer)[0];  // [T,r]
    const model::DeclaredTop top =
        model::declared_top(input.model, declaration, kDeclaredTopRanks);                  // [T,8] each
    layers.push_back(at::stack({top.ids.to(at::kFloat), top.scores.to(at::kFloat)}, -1));  // [T,8,2]
  }
  return bytes_of(input, at::stack(layers));
}

}  // namespace sparsescope::probes
