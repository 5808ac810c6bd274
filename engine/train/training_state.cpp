#include "engine/train/training_state.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/trace/error.h"
#include "engine/train/non_finite.h"

namespace sparsescope::train {
namespace {

model::LanguageModel::Products products_of(experiments::Precision precision, at::Device device) {
  const bool is_bf16 = precision == experiments::Precision::Bf16 ||
                       (precision == experiments::Precision::Auto && device.is_cuda());
  return is_bf16 ? model::LanguageModel::Products::Bf16 : model::LanguageModel::Products::Same;
}

constexpr const char* kCapturedWords = "one captured graph";

}  // namespace

TrainingState::TrainingState(const experiments::Experiment& experiment, const data::PreparedData& data,
                             const DeviceSetup& setup)
    : experiment_(experiment),
      setup_(setup),
      model_(experiment.model, data.tokenizer->vocabulary(), setup.device, at::kFloat,
             data::stream_seed(experiment.train.seed, data::kInitStream),
             products_of(experiment.train.precision, setup.device)),
      sampler_(data.train.ids, experiment.train.batch, experiment.model.context,
               data::stream_seed(experiment.train.seed, data::kDataStream)) {
  add_trainer_controls(model_.controls(), experiment);
  for (const at::Tensor& theta : model_.thetas())
    counters_.initial_thetas.push_back(theta.detach().item<double>());
  loss_term_names_ = find_loss_terms();

  const bool is_bf16 = model_.table().gemm_dtype() == at::kBFloat16;
  const bool is_captured = setup.device.is_cuda() && is_bf16 && experiment.train.capture;
  updater_ = is_bf16 ? make_flat_updater(model_, experiment) : make_library_updater(model_, experiment);
  body_ = std::make_unique<StepBody>(model_, *updater_, loss_term_names_.size(), experiment.train.attention);
  setup_.precision = is_bf16 ? "bf16" : "fp32";
  if (is_bf16 && setup.device.is_cuda() &&
      experiment.train.attention == experiments::AttentionKernels::Cudnn) {
    setup_.words += ", attention by cuDNN: does not repeat";
    at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);  // it would be refused
  }
  if (setup.device.is_cuda() && is_bf16 && is_spark() && !experiment.model.spark.has_fused_form())
    setup_.words += ", SPaRK's attention as LibTorch operations: no fused kernel of this form";
  if (!is_captured) return;
  setup_.step = kCapturedWords;
  graph_pool_ = model::make_graph_pool();
}

std::vector<std::string> TrainingState::find_loss_terms() const {
  const at::NoGradGuard no_grad;
  const at::Tensor ids = at::zeros({1, 2}, at::TensorOptions().dtype(at::kLong).device(model_.device()));
  const model::Loss loss = model_.loss(model_.forward(ids, {.statistics = model::Statistics::Collect}), ids);
  std::vector<std::string> names;
  for (const model::LossTerm& term : loss.terms) names.push_back(term.name);
  return names;
}

void TrainingState::begin_step() {
  check(!is_step_begun_, "one step at a time");
  if (!step_) {
    const std::int64_t B = experiment_.train.batch, T = experiment_.model.context;
    step_ = steps_overlap() ? make_captured_step(*body_, model_, setup_, *graph_pool_, B, T)
                            : make_eager_step(*body_, setup_, B, T);
  }
  batch_ = sampler_.next();
  step_->begin(batch_);
  is_step_begun_ = true;
}

StepReport TrainingState::step() {
  if (!is_step_begun_) begin_step();
  StepReport report = step_->finish();
  is_step_begun_ = false;
  ++counters_.steps;
  const bool thresholds_move = is_spark() && control(kThresholdFreeze) == 0;
  if (report.is_finite && thresholds_move)
    counters_.reach += report.learning_rate * experiment_.model.spark.used_theta_lr_multiplier();
  if (!report.is_finite) {
    const at::Tensor ids =
        evaluate::ids_tensor(batch_, experiment_.train.batch, experiment_.model.context + 1, setup_.device);
    report.non_finite_words = non_finite_words(model_, ids, counters_.steps);
  }
  return report;
}

void TrainingState::restore_counters(Counters counters) {
  counters_ = std::move(counters);
  updater_->set_step(counters_.steps);
  updater_->restored();
}

}  // namespace sparsescope::train
