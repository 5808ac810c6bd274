// How tokens mix: one member per rule, one table. A mixer reads the (normalised) stream and returns its own
// output.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/model/language_model.h"
#include "engine/model/positions/positions.h"

namespace sparsescope::model {

// What a mixer may use while it is built.
struct MixerContext {
  const experiments::ModelConfig& config;
  std::int64_t vocabulary;
  std::int64_t layer;
  std::string name;  // "blocks.3.mixer": prefix of its parameters
  ParameterTable& parameters;
  ControlBlock& controls;
  const Positions& positions;  // outlives the mixer
};

// What a mixer sees of one forward pass.
struct MixerCall {
  const at::Tensor& ids;  // [B,T] i64, the inputs (never the targets)
  const ForwardOptions& options;
  ForwardResult& result;  // a mixer may add to what it leaves behind
  Kernels kernels = Kernels::Library;

  bool is_wanted(Observation what, std::int64_t layer) const {
    return options.observer != nullptr && options.observer->wants(what, layer);
  }
  void show(Observation what, std::int64_t layer, const at::Tensor& value) const {
    if (is_wanted(what, layer)) options.observer->observe(what, layer, value.detach());
  }
};

class Mixer {
 public:
  virtual ~Mixer() = default;
  virtual at::Tensor forward(const at::Tensor& x, MixerCall& call) const = 0;  // [B,T,C] -> [B,T,C]
};

std::unique_ptr<Mixer> make_mixer(MixerContext context);

std::unique_ptr<Mixer> make_dense(MixerContext context);
std::unique_ptr<Mixer> make_window(MixerContext context);
std::unique_ptr<Mixer> make_spark(MixerContext context);

}  // namespace sparsescope::model
