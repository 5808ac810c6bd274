// From gradients to the next parameters, thresholds included: what an optimizer step does to a model. Nothing
// here asks the device for a number, so that a step can be captured.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/model/language_model.h"

namespace sparsescope::train {

class Updater {
 public:
  virtual ~Updater() = default;

  // Fp32 scalars [] on the device.
  struct Outcome {
    at::Tensor gradient_norm;     // before clipping
    at::Tensor found_non_finite;  // 1: nothing moved
    at::Tensor learning_rate;     // with the live scale
  };
  // One update (formula: optimizer.h) with the scheduled rate of the step, for a loss [] and a count of other
  // non-finite numbers [] i64. Gradients are ready for the next backward pass afterwards; frozen thresholds
  // keep their values and all stay inside their clamp.
  virtual Outcome update(const at::Tensor& loss, const at::Tensor& non_finite) = 0;

  // Steps that were begun, for the schedule. Call before the first update and after restoring a state.
  virtual void set_step(std::uint64_t step) = 0;
  // Parameters and state() were written from outside.
  virtual void restored() {}

  // For checkpoints: per trained parameter "optimizer.m.<name>", "optimizer.v.<name>", "optimizer.t.<name>"
  // (t [] fp32, updates made); to be copied into.
  struct State {
    std::string name;
    at::Tensor value;
  };
  virtual std::vector<State> state() const = 0;
};

// `model` outlives it. The library's operations, parameter by parameter: any device.
std::unique_ptr<Updater> make_library_updater(model::LanguageModel& model,
                                              const experiments::Experiment& experiment);
// kernels/adamw over flat parameters, which it lays out: one launch for everything, rates and counters on
// the device.
std::unique_ptr<Updater> make_flat_updater(model::LanguageModel& model,
                                           const experiments::Experiment& experiment);

}  // namespace sparsescope::train
