// The update in the library's operations: Optimizer, with what brackets it for thresholds.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/scalar_tensor.h>

#include "engine/train/controls.h"
#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"
#include "engine/train/updater.h"

namespace sparsescope::train {
namespace {

std::vector<Segment> segments_of(const model::LanguageModel& model,
                                 const experiments::OptimizerConfig& config) {
  std::vector<Segment> segments;
  for (const model::Parameter& parameter : model.parameters()) {
    segments.push_back({parameter.name, parameter.value, parameter.lr_multiplier,
                        parameter.weight_decay ? config.weight_decay : 0.0,
                        parameter.is_frozen ? Segment::Freedom::Frozen : Segment::Freedom::Trained});
  }
  return segments;
}

class LibraryUpdater : public Updater {
 public:
  LibraryUpdater(model::LanguageModel& model, const experiments::Experiment& experiment)
      : model_(model),
        optimizer_(experiment.optimizer, segments_of(model, experiment.optimizer)),
        schedule_(experiment.optimizer, experiment.train.steps) {}

  Outcome update(const at::Tensor& loss, const at::Tensor& non_finite) override {
    const at::NoGradGuard no_grad;
    const at::Tensor norm = optimizer_.gradient_norm();
    const at::Tensor is_finite = loss.isfinite().logical_and(norm.isfinite()).logical_and(non_finite.eq(0));
    const double rate = schedule_.learning_rate(static_cast<std::int64_t>(step_++)) *
                        model_.controls().get(kLearningRateScale);
    const Outcome outcome{norm, is_finite.logical_not().to(at::kFloat),
                          at::scalar_tensor(rate, norm.options().dtype(at::kDouble))};
    model_.before_update();
    optimizer_.step(rate, norm, outcome.found_non_finite);
    model_.after_update();
    model_.table().refresh_gemm_copies();
    return outcome;
  }

  void set_step(std::uint64_t step) override { step_ = step; }
  void restored() override { model_.table().refresh_gemm_copies(); }

  std::vector<State> state() const override {
    std::vector<State> state;
    for (const Optimizer::State& entry : optimizer_.state()) state.push_back({entry.name, entry.value});
    return state;
  }

 private:
  model::LanguageModel& model_;
  Optimizer optimizer_;
  Schedule schedule_;
  std::uint64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Updater> make_library_updater(model::LanguageModel& model,
                                              const experiments::Experiment& experiment) {
  return std::make_unique<LibraryUpdater>(model, experiment);
}

}  // namespace sparsescope::train
