// Everything that one training step reads and writes: model, optimizer, data order, counters. No commands, no
// frames.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/batches.h"
#include "engine/data/prepare.h"
#include "engine/experiments/experiment.h"
#include "engine/model/language_model.h"
#include "engine/train/controls.h"
#include "engine/train/device.h"
#include "engine/train/step.h"
#include "engine/train/updater.h"

namespace sparsescope::train {

class TrainingState {
 public:
  // `data` outlives the state. Throws Error (Usage) for a configuration that cannot be built.
  TrainingState(const experiments::Experiment& experiment, const data::PreparedData& data,
                const DeviceSetup& setup);

  // One optimizer step, or the rest of the one that was begun. A non-finite loss, gradient, score or logit
  // leaves all parameters as they are and is reported.
  StepReport step();
  // Queues a step on a GPU and returns: what is done until step() overlaps with it. Nothing else of the state
  // may be used in between.
  void begin_step();
  bool is_step_begun() const { return is_step_begun_; }
  // Whether a begun step runs by itself; otherwise begin_step() is the whole work.
  bool steps_overlap() const { return graph_pool_.has_value(); }
  // Where the step's graph keeps its memory, for others that run between steps; none when it is not captured.
  std::optional<model::GraphPool> graph_pool() const { return graph_pool_; }

  // Controls by name, thresholds included; see ControlBlock::set for what is refused.
  void set_control(const std::string& name, double value) { model_.set_control(name, value); }
  double control(const std::string& name) const { return model_.controls().get(name); }

  model::LanguageModel& model() { return model_; }
  const model::LanguageModel& model() const { return model_; }
  Updater& updater() { return *updater_; }
  const Updater& updater() const { return *updater_; }
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
  // After everything else of a checkpoint was put back.
  void restore_counters(Counters counters);

 private:
  std::vector<std::string> find_loss_terms() const;

  experiments::Experiment experiment_;
  DeviceSetup setup_;
  model::LanguageModel model_;
  std::unique_ptr<Updater> updater_;
  data::BatchSampler sampler_;
  std::vector<std::string> loss_term_names_;
  std::optional<model::GraphPool> graph_pool_;
  std::unique_ptr<StepBody> body_;
  std::unique_ptr<Step> step_;
  bool is_step_begun_ = false;
  std::vector<std::int32_t> batch_;  // of the last step
  Counters counters_;
};

}  // namespace sparsescope::train
