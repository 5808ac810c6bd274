// Everything that one training step reads and writes: model, optimizer, data order, counters. No commands, no
// frames.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/data/batches.h"
#include "engine/data/prepare.h"
#include "engine/experiments/experiment.h"
#include "engine/model/language_model.h"
#include "engine/train/device.h"
#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"

namespace sparsescope::train {

// Controls: those that the trainer registers beside the model's, and one of the model's that it must know.
inline constexpr const char* kLearningRateScale = "learning_rate_scale";
inline constexpr const char* kPace = "pace";
inline constexpr const char* kWatching = "watching";
inline constexpr const char* kProbeBudget = "probe_budget";
inline constexpr const char* kThresholdFreeze = "threshold_freeze";

// What one step did, on the host.
struct StepReport {
  std::vector<double> loss_terms;   // unweighted, in the order of loss_term_names()
  double total_loss = 0;            // weighted sum, nats
  double gradient_norm = 0;         // before clipping
  double learning_rate = 0;         // with the live scale
  std::vector<double> spark;        // [L, model::kSparkStatisticCount], SPaRK only
  std::vector<double> theta_after;  // [L] after the update
  bool is_finite = true;            // false: nothing was updated
  std::string non_finite_words;     // where the first non-finite number was seen
  double data_ms = 0, forward_ms = 0, backward_ms = 0, optimizer_ms = 0, total_ms = 0;
};

class TrainingState {
 public:
  // `data` outlives the state. Throws Error (Usage) for a configuration that cannot be built.
  TrainingState(const experiments::Experiment& experiment, const data::PreparedData& data,
                const DeviceSetup& setup);

  // One optimizer step. A non-finite loss, gradient, score or logit leaves all parameters as they are and is
  // reported.
  StepReport step();

  // Controls by name, thresholds included; see ControlBlock::set for what is refused.
  void set_control(const std::string& name, double value) { model_.set_control(name, value); }
  double control(const std::string& name) const { return model_.controls().get(name); }

  model::LanguageModel& model() { return model_; }
  const model::LanguageModel& model() const { return model_; }
  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }
  data::BatchSampler& sampler() { return sampler_; }
  const data::BatchSampler& sampler() const { return sampler_; }
  const experiments::Experiment& experiment() const { return experiment_; }
  const DeviceSetup& setup() const { return setup_; }
  bool is_spark() const { return experiment_.model.mixer == experiments::MixerKind::Spark; }

  // Names of the loss terms; found by one forward pass that changes nothing.
  const std::vector<std::string>& loss_term_names() const { return loss_term_names_; }

  // Counters, saved and restored with a checkpoint.
  struct Counters {
    std::uint64_t steps = 0;             // batches consumed
    double reach = 0;                    // sum of the learning rates that thresholds saw
    std::vector<double> initial_thetas;  // [L]
  };
  const Counters& counters() const { return counters_; }
  void restore_counters(Counters counters) { counters_ = std::move(counters); }

 private:
  std::vector<std::string> find_loss_terms() const;

  experiments::Experiment experiment_;
  DeviceSetup setup_;
  model::LanguageModel model_;
  Optimizer optimizer_;
  Schedule schedule_;
  data::BatchSampler sampler_;
  std::vector<std::string> loss_term_names_;
  Counters counters_;
};

}  // namespace sparsescope::train
