#include "engine/probes/edges.h"

#include <ATen/core/Tensor.h>

#include <cstring>

#include "engine/probes/probe.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::probes {

void append_edges(std::vector<Edge>& edges, std::uint8_t layer, std::int64_t tokens,
                  std::span<const std::uint8_t> reasons, std::span<const float> scores,
                  std::span<const float> weights) {
  const auto place = [tokens](std::int64_t t, std::int64_t p) {
    return static_cast<std::size_t>(t * tokens + p);
  };
  std::vector<std::uint16_t> via(static_cast<std::size_t>(tokens));
  for (std::int64_t t = 0; t < tokens; ++t) {
    // Walking the direct keys upwards, the first that reaches a pair is its smallest heir.
    std::fill(via.begin(), via.end(), kNoHeir);
    for (std::int64_t q = 0; q < t; ++q) {
      if ((reasons[place(t, q)] & kernels::kDirect) == 0) continue;
      for (std::int64_t p = 0; p < q; ++p) {
        if ((reasons[place(q, p)] & kernels::kDirect) != 0 && via[static_cast<std::size_t>(p)] == kNoHeir)
          via[static_cast<std::size_t>(p)] = static_cast<std::uint16_t>(q);
      }
    }
    for (std::int64_t p = 0; p <= t; ++p) {
      const std::uint8_t kind = reasons[place(t, p)];
      if (kind == 0) continue;
      Edge edge;
      edge.score = scores[place(t, p)];
      edge.weight = weights[place(t, p)];
      edge.t = static_cast<std::uint16_t>(t);
      edge.p = static_cast<std::uint16_t>(p);
      if ((kind & kernels::kInherited) != 0) edge.via = via[static_cast<std::size_t>(p)];
      edge.layer = layer;
      edge.kind = kind;
      edges.push_back(edge);
    }
  }
}

ProbeBytes measure_edges(const ProbeInput& input) {
  std::vector<Edge> edges;
  const std::int64_t T = input.batch.ids.size(1);
  for (std::int64_t layer = 0; layer < input.model.config().layers; ++layer) {
    const at::Tensor reasons =
        to_host(input, input.text.get(model::Observation::Scope, layer)[0]);  // [T,T] u8
    const at::Tensor scores =
        to_host(input, input.text.get(model::Observation::Scores, layer)[0].to(at::kFloat));  // [T,T]
    const at::Tensor weights =
        to_host(input, input.text.get(model::Observation::AttentionWeights, layer)[0].to(at::kFloat).mean(0));
    const auto pairs = static_cast<std::size_t>(T * T);
    append_edges(edges, static_cast<std::uint8_t>(layer), T, {reasons.data_ptr<std::uint8_t>(), pairs},
                 {scores.data_ptr<float>(), pairs}, {weights.data_ptr<float>(), pairs});
  }
  ProbeBytes bytes(edges.size() * sizeof(Edge));
  if (!edges.empty()) std::memcpy(bytes.data(), edges.data(), bytes.size());
  return bytes;
}

}  // namespace sparsescope::probes
