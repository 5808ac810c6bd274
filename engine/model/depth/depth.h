// How the outputs of sublayers become the next input: one member per rule, one table. Norms belong here,
// because a rule decides what is normalised. Sublayer s = 2 * layer is a token mixer, 2 * layer + 1 its
// feed-forward part.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "engine/model/language_model.h"

namespace sparsescope::model {

// One forward pass through the stack.
class DepthPass {
 public:
  virtual ~DepthPass() = default;
  // What sublayer `sublayer` reads [B,T,C]; for sublayer = number of sublayers: what the head reads.
  virtual at::Tensor input(std::int64_t sublayer) = 0;
  // Hands over the sublayer's own output v [B,T,C]. Called once for each, in order, after its input().
  virtual void output(std::int64_t sublayer, const at::Tensor& v) = 0;
};

class Depth {
 public:
  virtual ~Depth() = default;
  // Starts a pass from the embedding [B,T,C].
  virtual std::unique_ptr<DepthPass> begin(const at::Tensor& embedding, Kernels kernels) const = 0;
};

// The member that config.depth names. Throws Error (Usage) that lists them.
std::unique_ptr<Depth> make_depth(const experiments::ModelConfig& config, ParameterTable& parameters);

std::unique_ptr<Depth> make_standard_depth(const experiments::ModelConfig& config,
                                           ParameterTable& parameters);

}  // namespace sparsescope::model
