// The two lists by which others look into a model: observation points (read-only) and interventions
// (evaluations and probes only, never a training batch). The model knows neither who looks nor why.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace sparsescope::model {

// What a layer can show. All values are detached; B T C H as usual, C = d the width, D the head width, r the
// rank.
enum class Observation {
  MixerOutput,        // [B,T,C]    v_i of the token mixer
  FeedForwardOutput,  // [B,T,C]    v_i of the feed-forward sublayer
  Query,              // [B,H,T,D]  after the position encoding
  Key,                // [B,H,T,D]  after the position encoding
  Value,              // [B,H,T,D]
  AttentionLogits,    // [B,H,T,T]  q.k/sqrt(D) + position bias, unmasked: a shadow softmax over p <= t starts
                      // here
  AttentionWeights,   // [B,H,T,T]  as used: exactly 0 outside the scope
  Scores,             // [B,T,T]    fp32 S[t,p]: the tensor the decision was taken from (SPaRK)
  Theta,              // []         threshold of the layer (SPaRK)
  Scope,              // [B,T,T]    u8 reason codes, kernels::ScopeReason (SPaRK)
  Declaration,        // [B,T,r]    z (SPaRK)
};

class Observer {
 public:
  virtual ~Observer() = default;
  // Asked before work is done for an observation alone. Must not depend on what was observed before.
  virtual bool wants(Observation what, std::int64_t layer) const = 0;
  // The tensor may be kept, not written to.
  virtual void observe(Observation what, std::int64_t layer, const at::Tensor& value) = 0;
};

// Keeps what it was asked for, for probes and tests.
class ObservationStore : public Observer {
 public:
  // `layers` empty: every layer.
  explicit ObservationStore(std::vector<Observation> wanted, std::vector<std::int64_t> layers = {});
  bool wants(Observation what, std::int64_t layer) const override;
  void observe(Observation what, std::int64_t layer, const at::Tensor& value) override;
  // Undefined when it was not observed.
  at::Tensor get(Observation what, std::int64_t layer) const;
  void clear() { values_.clear(); }

 private:
  std::vector<Observation> wanted_;
  std::vector<std::int64_t> layers_;
  std::map<std::pair<Observation, std::int64_t>, at::Tensor> values_;
};

struct Interventions {
  // Per layer, or empty: reason codes [B,T,T] u8 that replace the layer's own decision; undefined entries
  // leave it alone.
  std::vector<at::Tensor> scope;
  // Sublayers (0-based: 2 * layer is the mixer, 2 * layer + 1 the feed-forward part) whose output becomes 0.
  std::vector<std::int64_t> silenced_sublayers;
};

}  // namespace sparsescope::model
