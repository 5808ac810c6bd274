// The captured bf16 step on a GPU: own kernels against the library's operations, captured against uncaptured,
// live controls, repeatability. Skips itself, saying so, where there is no GPU.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "engine/data/prepare.h"
#include "engine/evaluate/logits.h"
#include "engine/model/spark_statistics.h"
#include "engine/train/training_state.h"
#include "tiny_run.h"

namespace sparsescope::train {
namespace {

using experiments::Estimator;
using experiments::Experiment;
using experiments::MixerKind;
using experiments::PositionKind;

struct Form {
  const char* name;
  MixerKind mixer;
  PositionKind position;
  Estimator estimator = Estimator::Surrogate;
  bool inheritance = false;
};
constexpr Form kForms[] = {
    {"dense rope", MixerKind::Dense, PositionKind::Rope},
    {"dense alibi", MixerKind::Dense, PositionKind::Alibi},
    {"window none", MixerKind::Window, PositionKind::None},
    {"spark surrogate rope", MixerKind::Spark, PositionKind::Rope},
    {"spark surrogate alibi, inherited", MixerKind::Spark, PositionKind::Alibi, Estimator::Surrogate, true},
    {"spark in_scope rope, inherited", MixerKind::Spark, PositionKind::Rope, Estimator::InScope, true},
};

class CapturedStepOnTheGpu : public testing::Test {
 protected:
  static constexpr std::int64_t kBatch = 8, kContext = 100;  // no multiple of a tile

  void SetUp() override {
    if (const CudaAnswer answer = cuda_answer(); !answer.available)
      GTEST_SKIP() << "no GPU here: " << answer.reason;
    setup_ = set_up_device(Device::Cuda, 0);
  }

  Experiment experiment_of(const Form& form) const {
    Experiment experiment;
    experiment.name = "captured";
    experiment.model.layers = 3;
    experiment.model.width = 96;
    experiment.model.heads = 3;  // of width 32
    experiment.model.context = kContext;
    experiment.model.mixer = form.mixer;
    experiment.model.position = form.position;
    experiment.model.window = 9;
    experiment.model.spark.rank = 16;
    experiment.model.spark.initial_theta_sigmas = 2;
    experiment.model.spark.fallback_window = 8;
    experiment.model.spark.estimator = form.estimator;
    experiment.model.spark.inheritance = form.inheritance;
    experiment.model.spark.sparsity_weight = 0.1;
    experiment.optimizer.warmup_steps = 20;
    experiment.data.tokenizer = experiments::TokenizerKind::Bytes;
    experiment.data.vocabulary = 256;
    experiment.train.batch = kBatch;
    experiment.train.steps = 500;
    return experiment;
  }

  std::unique_ptr<TrainingState> state_of(const Experiment& experiment) {
    if (data_.train.ids.empty())
      data_ = data::prepare(experiment.data, {folder_.text()}, experiment.model.context, {});
    return std::make_unique<TrainingState>(experiment, data_, setup_);
  }
  std::vector<double> losses_of(TrainingState& state, int steps) const {
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) losses.push_back(state.step().total_loss);
    return losses;
  }

  TinyFolder folder_;
  data::PreparedData data_;
  DeviceSetup setup_;
};

double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  const at::Tensor a = got.to(at::kDouble), b = expected.to(at::kDouble);
  return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>();
}

struct Pass {
  std::vector<at::Tensor> gradients;  // by parameter, with the loss first
  at::Tensor statistics;              // [L,kSparkStatisticCount], SPaRK only
};

// Forward and backward pass on one batch.
Pass pass_of(TrainingState& state, const at::Tensor& ids, model::Kernels kernels) {
  model::LanguageModel& model = state.model();
  for (const model::Parameter& parameter : model.parameters()) parameter.value.mutable_grad().zero_();
  const std::int64_t T = ids.size(1) - 1;
  const auto head = kernels == model::Kernels::Own ? model::ForwardOptions::Head::Hidden
                                                   : model::ForwardOptions::Head::Logits;
  const model::ForwardResult result = model.forward(
      ids.slice(1, 0, T),
      {.statistics = model::Statistics::Collect, .kernels = kernels, .head = head, .has_all_terms = true});
  const model::Loss loss = model.loss(result, ids.slice(1, 1, T + 1));
  loss.total.backward();
  Pass pass;
  pass.gradients = {loss.total.detach().clone()};
  for (const model::Parameter& parameter : model.parameters())
    pass.gradients.push_back(parameter.value.grad().clone());
  if (!result.spark.empty()) pass.statistics = model::spark_statistics(model, result, loss.non_finite);
  return pass;
}

TEST_F(CapturedStepOnTheGpu, OwnKernelsGiveTheGradientsOfTheLibrarysOperations) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    const std::unique_ptr<TrainingState> state = state_of(experiment_of(form));
    for (int i = 0; i < 30; ++i)
      state->step();  // away from the start, where gradients of thresholds are tiny
    const at::Tensor ids = evaluate::ids_tensor(state->sampler().next(), kBatch, kContext + 1, setup_.device);
    const Pass own_pass = pass_of(*state, ids, model::Kernels::Own),
               library_pass = pass_of(*state, ids, model::Kernels::Library);
    const std::vector<at::Tensor>&own = own_pass.gradients, &library = library_pass.gradients;
    if (own_pass.statistics.defined()) {
      for (int column = 0; column < model::kSparkStatisticCount; ++column) {
        const double error =
            relative_error(own_pass.statistics.select(1, column), library_pass.statistics.select(1, column));
        // Decisions near the threshold may fall the other way.
        EXPECT_LT(error, column == model::kThetaGradient ? 0.1 : 0.01)
            << model::spark_statistic_name(static_cast<model::SparkStatistic>(column));
      }
    }
    EXPECT_LT(std::abs(own[0].item<double>() - library[0].item<double>()), 2e-3);
    double worst = 0;
    std::string where;
    for (std::size_t i = 1; i < own.size(); ++i) {
      const double error = relative_error(own[i], library[i]);
      const std::string& name = state->model().parameters()[i - 1].name;
      // A threshold's gradient is a sum of many terms of both signs.
      const double bound = name.ends_with("theta") ? 0.1 : 0.03;
      EXPECT_LT(error, bound) << name;
      if (error > worst) worst = error, where = name;
    }
    std::cout << form.name << ": loss " << own[0].item<double>() << " against " << library[0].item<double>()
              << ", worst relative gradient error " << worst << " in " << where << "\n";
  }
}

TEST_F(CapturedStepOnTheGpu, CapturedAndUncapturedLossesAreTheSameBitsForFiveHundredSteps) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    Experiment experiment = experiment_of(form);
    const std::unique_ptr<TrainingState> captured = state_of(experiment);
    EXPECT_EQ(captured->setup().step, "one captured graph");
    experiment.train.capture = false;
    const std::unique_ptr<TrainingState> uncaptured = state_of(experiment);
    EXPECT_EQ(uncaptured->setup().step, "operation by operation");
    const std::vector<double> first = losses_of(*captured, 500), second = losses_of(*uncaptured, 500);
    EXPECT_EQ(first, second);
    EXPECT_LT(first.back(), first.front() - 1);
    std::cout << form.name << ": " << first.front() << " -> " << first.back() << " nats\n";
  }
}

// What has no fused kernel: the same graph of LibTorch's operations, and the run says so.
TEST_F(CapturedStepOnTheGpu, EveryEstimatorByEveryRuleIsCapturedWithTheBitsOfTheUncapturedStep) {
  using experiments::DeclarationRule;
  for (const Estimator estimator : {Estimator::Surrogate, Estimator::InScope, Estimator::Soft,
                                    Estimator::PostGate, Estimator::SurrogateSplit}) {
    for (const DeclarationRule rule :
         {DeclarationRule::Threshold, DeclarationRule::TopK, DeclarationRule::TopKOffset}) {
      SCOPED_TRACE("estimator " + std::to_string(static_cast<int>(estimator)) + ", rule " +
                   std::to_string(static_cast<int>(rule)));
      Experiment experiment = experiment_of({"spark", MixerKind::Spark, PositionKind::Rope, estimator, true});
      experiment.model.spark.rule = rule;
      experiment.model.spark.top_k = 8;
      if (rule != DeclarationRule::Threshold) experiment.model.spark.initial_theta_sigmas = 0;
      const std::unique_ptr<TrainingState> captured = state_of(experiment);
      EXPECT_EQ(captured->setup().step, "one captured graph");
      EXPECT_EQ(captured->setup().words.find("no fused kernel") != std::string::npos,
                !experiment.model.spark.has_fused_form());
      experiment.train.capture = false;
      const std::unique_ptr<TrainingState> uncaptured = state_of(experiment);
      for (int step = 0; step < 20; ++step) {
        const StepReport a = captured->step(), b = uncaptured->step();
        ASSERT_TRUE(a.is_finite && b.is_finite);
        EXPECT_EQ(a.total_loss, b.total_loss) << step;
        EXPECT_EQ(a.theta_after, b.theta_after) << step;
        EXPECT_EQ(a.spark, b.spark) << step;
      }
    }
  }
}

TEST_F(CapturedStepOnTheGpu, TwoRunsAreTheSameBitsForFiveHundredSteps) {
  for (const Form& form : {kForms[0], kForms[4]}) {
    SCOPED_TRACE(form.name);
    const std::unique_ptr<TrainingState> one = state_of(experiment_of(form)),
                                         two = state_of(experiment_of(form));
    EXPECT_EQ(losses_of(*one, 500), losses_of(*two, 500));
  }
}

TEST_F(CapturedStepOnTheGpu, CudnnsAttentionFollowsOwnKernelsAndIsNamed) {
  for (const PositionKind position : {PositionKind::Rope, PositionKind::None}) {
    Experiment experiment = experiment_of({"dense", MixerKind::Dense, position});
    const auto own = state_of(experiment);
    experiment.train.attention = experiments::AttentionKernels::Cudnn;
    const auto theirs = state_of(experiment);
    EXPECT_NE(theirs->setup().words.find("attention by cuDNN: does not repeat"), std::string::npos);
    EXPECT_EQ(own->setup().words.find("cuDNN"), std::string::npos);
    double worst = 0, first_norm = 0;
    for (int step = 0; step < 50; ++step) {
      const StepReport a = own->step(), b = theirs->step();
      ASSERT_TRUE(a.is_finite && b.is_finite);
      worst = std::max(worst, std::abs(a.total_loss - b.total_loss));
      if (step == 0) first_norm = std::abs(a.gradient_norm / b.gradient_norm - 1);
    }
    std::cout << "cuDNN: worst difference of 50 losses " << worst << " nats, of the first gradient's norm "
              << first_norm << "\n";
    EXPECT_LT(worst, 0.02);
    EXPECT_LT(first_norm, 2e-3);
  }
  at::globalContext().setDeterministicAlgorithms(true, false);  // as the other cases have it
}

TEST_F(CapturedStepOnTheGpu, LiveControlsActInsideTheGraph) {
  Experiment experiment = experiment_of(kForms[3]);
  const std::unique_ptr<TrainingState> captured = state_of(experiment);
  experiment.train.capture = false;
  const std::unique_ptr<TrainingState> uncaptured = state_of(experiment);
  const auto both = [&](const char* name, double value) {
    captured->set_control(name, value);
    uncaptured->set_control(name, value);
  };
  const auto step_both = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      const StepReport a = captured->step(), b = uncaptured->step();
      ASSERT_EQ(a.total_loss, b.total_loss);
      ASSERT_EQ(a.theta_after, b.theta_after);
      ASSERT_EQ(a.spark, b.spark);
    }
  };
  step_both(5);
  const double before = captured->step().theta_after[0];
  uncaptured->step();
  both(kThresholdFreeze, 1);
  step_both(3);
  EXPECT_EQ(captured->step().theta_after[0], before);
  uncaptured->step();
  both(kThresholdFreeze, 0);
  both("threshold_min", before + 0.5);
  step_both(3);
  EXPECT_GE(captured->step().theta_after[0], static_cast<float>(before + 0.5));
  uncaptured->step();
  both("threshold_min", -1000);
  both("sparsity_weight", 5);
  step_both(3);
  const StepReport priced = captured->step();
  EXPECT_NEAR(priced.total_loss, priced.loss_terms[0] + 5 * priced.loss_terms[1], 1e-4);
  uncaptured->step();
  both(kLearningRateScale, 0);
  step_both(1);
  const std::vector<double> still = captured->step().theta_after;
  uncaptured->step();
  step_both(3);
  EXPECT_EQ(captured->step().theta_after, still);
}

TEST_F(CapturedStepOnTheGpu, TheLossFollowsThatOfFp32) {
  for (const Form& form : {kForms[0], kForms[1]}) {
    SCOPED_TRACE(form.name);
    Experiment experiment = experiment_of(form);
    const std::unique_ptr<TrainingState> bf16 = state_of(experiment);
    experiment.train.precision = experiments::Precision::Fp32;
    const std::unique_ptr<TrainingState> fp32 = state_of(experiment);
    const std::vector<double> a = losses_of(*bf16, 200), b = losses_of(*fp32, 200);
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    std::cout << form.name << ": bf16 within " << worst << " nats of fp32 over 200 steps\n";
    EXPECT_LT(std::abs(a[0] - b[0]), 2e-3);
    EXPECT_LT(worst, 0.06);  // splitting a batch in halves alone moves a bf16 curve by 0.04
  }
}

TEST_F(CapturedStepOnTheGpu, ANonFiniteParameterStopsTheUpdateAndIsNamed) {
  const std::unique_ptr<TrainingState> state = state_of(experiment_of(kForms[3]));
  state->step();
  {
    const at::NoGradGuard no_grad;
    at::Tensor theta = state->model().thetas()[1];
    theta.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const std::vector<float> before = [&] {
    const at::Tensor host = state->model().parameters()[0].value.detach().cpu().contiguous();
    return std::vector<float>(host.data_ptr<float>(), host.data_ptr<float>() + host.numel());
  }();
  const StepReport report = state->step();
  EXPECT_FALSE(report.is_finite);
  EXPECT_NE(report.non_finite_words.find("blocks.1.mixer.theta"), std::string::npos)
      << report.non_finite_words;
  const at::Tensor host = state->model().parameters()[0].value.detach().cpu().contiguous();
  EXPECT_EQ(before, std::vector<float>(host.data_ptr<float>(), host.data_ptr<float>() + host.numel()));
}

TEST_F(CapturedStepOnTheGpu, LaterTokensChangeNoEarlierLogit) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    const std::unique_ptr<TrainingState> state = state_of(experiment_of(form));
    for (int i = 0; i < 3; ++i) state->step();
    const at::NoGradGuard no_grad;
    const at::Tensor ids = evaluate::ids_tensor(state->sampler().next(), kBatch, kContext + 1, setup_.device);
    const at::Tensor expected = state->model().forward(ids).logits;
    for (const std::int64_t j :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{63}, std::int64_t{64}, kContext}) {
      const at::Tensor changed = ids.clone();
      changed.select(1, j).add_(1).remainder_(256);
      const at::Tensor got = state->model().forward(changed).logits;
      EXPECT_TRUE(got.slice(1, 0, j).equal(expected.slice(1, 0, j))) << "token " << j;
      EXPECT_FALSE(got.slice(1, j).equal(expected.slice(1, j))) << "token " << j;
    }
  }
}

TEST_F(CapturedStepOnTheGpu, ASequenceDoesNotSeeTheOthersOfItsBatch) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    const std::unique_ptr<TrainingState> state = state_of(experiment_of(form));
    for (int i = 0; i < 3; ++i) state->step();
    const at::NoGradGuard no_grad;
    const at::Tensor ids = evaluate::ids_tensor(state->sampler().next(), kBatch, kContext + 1, setup_.device);
    const at::Tensor expected = state->model().forward(ids).logits;
    const at::Tensor changed = ids.clone();
    changed.slice(0, 1).add_(1).remainder_(256);
    EXPECT_TRUE(state->model().forward(changed).logits[0].equal(expected[0]));
  }
}

}  // namespace
}  // namespace sparsescope::train
