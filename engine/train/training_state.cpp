#include "engine/train/training_state.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <chrono>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/model/spark_statistics.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

// Milliseconds since the last call, with the device idle at both ends.
class Stopwatch {
 public:
  explicit Stopwatch(at::Device device) : device_(device), last_(Clock::now()) {}
  double lap_ms() {
    synchronize(device_);
    const Clock::time_point now = Clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return ms;
  }

 private:
  using Clock = std::chrono::steady_clock;
  at::Device device_;
  Clock::time_point last_;
};

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

std::vector<double> doubles_of(const at::Tensor& tensor) {
  const at::Tensor host = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

at::Tensor as_row(const at::Tensor& scalar) { return scalar.detach().to(at::kDouble).reshape({1}); }

trace::Control learning_rate_scale() {
  return {.name = kLearningRateScale,
          .value = 1,
          .minimum = 0,
          .maximum = 100,
          .is_switch = false,
          .is_logarithmic = true,
          .unit = "x",
          .text = "Multiplies the scheduled learning rate from the next step on"};
}

trace::Control pace(double initial) {
  return {.name = kPace,
          .value = initial,
          .minimum = 0,
          .maximum = 1000,
          .is_switch = false,
          .is_logarithmic = true,
          .unit = "steps/s",
          .text = "Most steps per second; 0 is no limit; results do not depend on it"};
}

trace::Control watching() {
  return {.name = kWatching,
          .value = 1,
          .minimum = 0,
          .maximum = 1,
          .is_switch = true,
          .is_logarithmic = false,
          .unit = "1",
          .text = "Off: no probes and no text samples, so that nothing but the training takes time"};
}

trace::Control probe_budget(double initial) {
  return {
      .name = kProbeBudget,
      .value = initial,
      .minimum = 0,
      .maximum = 10,
      .is_switch = false,
      .is_logarithmic = false,
      .unit = "percent",
      .text = "Most that probes may cost of the training time; dearer ones come less often; 0 is no limit"};
}

}  // namespace

TrainingState::TrainingState(const experiments::Experiment& experiment, const data::PreparedData& data,
                             const DeviceSetup& setup)
    : experiment_(experiment),
      setup_(setup),
      model_(experiment.model, data.tokenizer->vocabulary(), setup.device, at::kFloat,
             data::stream_seed(experiment.train.seed, data::kInitStream)),
      optimizer_(experiment.optimizer, segments_of(model_, experiment.optimizer)),
      schedule_(experiment.optimizer, experiment.train.steps),
      sampler_(data.train.ids, experiment.train.batch, experiment.model.context,
               data::stream_seed(experiment.train.seed, data::kDataStream)) {
  model_.controls().add(learning_rate_scale());
  model_.controls().add(pace(experiment.train.pace));
  model_.controls().add(watching());
  model_.controls().add(probe_budget(experiment.probe.budget_percent));
  for (const at::Tensor& theta : model_.thetas())
    counters_.initial_thetas.push_back(theta.detach().item<double>());
  loss_term_names_ = find_loss_terms();
}

std::vector<std::string> TrainingState::find_loss_terms() const {
  const at::NoGradGuard no_grad;
  const at::Tensor ids = at::zeros({1, 2}, at::TensorOptions().dtype(at::kLong).device(model_.device()));
  const model::Loss loss = model_.loss(model_.forward(ids, {.statistics = model::Statistics::Collect}), ids);
  std::vector<std::string> names;
  for (const model::LossTerm& term : loss.terms) names.push_back(term.name);
  return names;
}

StepReport TrainingState::step() {
  StepReport report;
  Stopwatch watch(setup_.device);
  const std::int64_t T = experiment_.model.context;
  const at::Tensor ids =
      evaluate::ids_tensor(sampler_.next(), experiment_.train.batch, T + 1, setup_.device);  // [B,T+1]
  report.data_ms = watch.lap_ms();

  const model::ForwardResult result =
      model_.forward(ids.slice(1, 0, T), {.statistics = model::Statistics::Collect});
  const model::Loss loss = model_.loss(result, ids.slice(1, 1, T + 1));
  report.forward_ms = watch.lap_ms();
  loss.total.backward();
  report.backward_ms = watch.lap_ms();

  // One finite test over loss, gradient norm and what the forward pass counted; where it fails nothing is
  // updated.
  const at::NoGradGuard no_grad;
  const at::Tensor norm = optimizer_.gradient_norm();
  const at::Tensor is_finite =
      loss.total.isfinite().logical_and(norm.isfinite()).logical_and(result.non_finite.eq(0));
  const at::Tensor found_non_finite = is_finite.logical_not().to(at::kFloat);
  std::vector<at::Tensor> parts = {as_row(loss.total), as_row(norm), as_row(is_finite)};
  for (const model::LossTerm& term : loss.terms) parts.push_back(as_row(term.value));
  if (is_spark()) parts.push_back(model::spark_statistics(model_, result).reshape({-1}));
  report.learning_rate =
      schedule_.learning_rate(static_cast<std::int64_t>(counters_.steps)) * control(kLearningRateScale);
  model_.before_update();
  optimizer_.step(report.learning_rate, norm, found_non_finite);
  model_.after_update();
  for (const at::Tensor& theta : model_.thetas()) parts.push_back(as_row(theta));

  // One copy to the host for everything.
  const std::vector<double> numbers = doubles_of(at::cat(parts));
  report.optimizer_ms = watch.lap_ms();
  auto at = numbers.begin();
  report.total_loss = *at++;
  report.gradient_norm = *at++;
  report.is_finite = *at++ != 0;
  report.loss_terms.assign(at, at + static_cast<std::ptrdiff_t>(loss.terms.size()));
  at += static_cast<std::ptrdiff_t>(loss.terms.size());
  const auto layers = static_cast<std::ptrdiff_t>(model_.thetas().size());
  report.theta_after.assign(numbers.end() - layers, numbers.end());
  report.spark.assign(at, numbers.end() - layers);

  ++counters_.steps;
  const bool thresholds_move = is_spark() && control(kThresholdFreeze) == 0;
  if (report.is_finite && thresholds_move)
    counters_.reach += report.learning_rate * experiment_.model.spark.theta_lr_multiplier;
  if (!report.is_finite) {
    try {
      model::raise_if_not_finite(result, counters_.steps);
      report.non_finite_words =
          "the loss or the gradient norm at step " + std::to_string(counters_.steps) +
          " is not a finite number; lower the learning rate or load an earlier checkpoint";
    } catch (const Error& error) {
      report.non_finite_words = error.what();
    }
  }
  report.total_ms = report.data_ms + report.forward_ms + report.backward_ms + report.optimizer_ms;
  return report;
}

}  // namespace sparsescope::train
