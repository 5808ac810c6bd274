// The model on a GPU against the same model on the CPU. Needs a GPU, skips itself without one.
#include <ATen/ATen.h>
#include <ATen/Context.h>

#include "engine/model/spark_statistics.h"
#include "kernels/spark_scope/spark_scope_op.h"
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "this machine has no GPU that CUDA can use";
    at::globalContext().setAllowTF32CuBLAS(false);
  }
};

at::Device gpu() { return {at::kCUDA, 0}; }

TEST_F(OnGpu, TheDecisionIsTheReferencesBitForBit) {
  for (const std::int64_t tokens : {1, 31, 33, 257, 1024}) {
    for (const bool inheritance : {false, true}) {
      const at::Tensor scores = draw_normal(1, "s", {2, tokens, tokens}, 1).to(at::kFloat),
                       theta = at::scalar_tensor(1.5f);
      const auto on_cpu = kernels::spark_scope(scores, theta, {inheritance, true, 16});
      const auto on_gpu = kernels::spark_scope(scores.to(gpu()), theta.to(gpu()), {inheritance, true, 16});
      EXPECT_TRUE(on_gpu.reasons.cpu().equal(on_cpu.reasons)) << tokens;
      EXPECT_TRUE(on_gpu.row_counts.cpu().equal(on_cpu.row_counts)) << tokens;
      EXPECT_TRUE(at::allclose(on_gpu.row_moments.cpu(), on_cpu.row_moments, 1e-12, 1e-9)) << tokens;
    }
  }
}

// Loss and gradients on both devices; SPaRK takes the CPU's scope on the GPU.
void expect_same_step(const NamedForm& form) {
  const LanguageModel on_cpu(form.config, kVocabulary, at::kCPU, at::kFloat, 1),
      on_gpu(form.config, kVocabulary, gpu(), at::kFloat, 1);
  const at::Tensor ids = random_ids(3, 23), targets = random_ids(3, 23, 5);
  ObservationStore seen({Observation::Scope});
  ForwardOptions watch, follow;
  watch.observer = &seen;
  const Loss cpu_loss = on_cpu.loss(on_cpu.forward(ids, watch), targets);
  Interventions forced;
  for (const std::int64_t layer : {0, 1}) {
    if (seen.get(Observation::Scope, layer).defined())
      forced.scope.push_back(seen.get(Observation::Scope, layer).to(gpu()));
  }
  follow.interventions = &forced;
  const Loss gpu_loss = on_gpu.loss(on_gpu.forward(ids.to(gpu()), follow), targets.to(gpu()));
  EXPECT_NEAR(gpu_loss.total.item<double>(), cpu_loss.total.item<double>(), 1e-5) << form.name;
  cpu_loss.total.backward();
  gpu_loss.total.backward();
  for (const Parameter& parameter : on_cpu.parameters()) {
    const at::Tensor wanted = parameter.value.grad(),
                     got = on_gpu.table().find(parameter.name)->value.grad().cpu();
    EXPECT_LT(largest_difference(got, wanted), 1e-5 + 1e-4 * wanted.abs().max().item<double>())
        << form.name << ", " << parameter.name;
  }
}

TEST_F(OnGpu, AStepIsTheCpusStepInEveryMixerWithEveryPositionEncoding) {
  for (const NamedForm& form : all_mixers_and_positions()) expect_same_step(form);
  NamedForm in_scope{"in_scope", small_config()};
  in_scope.config.spark.estimator = Estimator::InScope;
  expect_same_step(in_scope);
}

TEST_F(OnGpu, AStepGivesTheSameBitsTwice) {
  for (const MixerKind mixer : {MixerKind::Dense, MixerKind::Spark}) {
    std::vector<at::Tensor> first;
    for (int run = 0; run < 2; ++run) {
      const LanguageModel model(small_config(mixer), kVocabulary, gpu(), at::kFloat, 1);
      const at::Tensor ids = random_ids(4, 23).to(gpu());
      model.loss(model.forward(ids), ids).total.backward();
      for (std::size_t i = 0; i < model.parameters().size(); ++i) {
        const at::Tensor slope = model.parameters()[i].value.grad();
        if (run == 0) first.push_back(slope.clone());
        EXPECT_TRUE(slope.equal(first[i])) << model.parameters()[i].name;
      }
    }
  }
}

TEST_F(OnGpu, AChangedTokenMovesNoBitBeforeIt) {
  for (const NamedForm& form : all_mixers_and_positions()) {
    const LanguageModel model(form.config, kVocabulary, gpu(), at::kFloat, 3);
    const at::Tensor ids = random_ids(1, 23).to(gpu()), before = logits_of(model, ids);
    for (std::int64_t j = 0; j < 23; ++j) {
      at::Tensor changed = ids.clone();
      changed.select(1, j).add_(1).remainder_(kVocabulary);
      const at::Tensor after = logits_of(model, changed);
      EXPECT_TRUE(after.narrow(1, 0, j).equal(before.narrow(1, 0, j))) << form.name << ", token " << j;
      EXPECT_FALSE(after.select(1, j).equal(before.select(1, j))) << form.name << ", token " << j;
    }
  }
}

TEST_F(OnGpu, StatisticsAreTheCpus) {
  ForwardOptions options;
  options.statistics = Statistics::Collect;
  const at::Tensor ids = random_ids(3, 23);
  at::Tensor tables[2];
  for (const bool is_gpu : {false, true}) {
    const LanguageModel model(small_config(), kVocabulary, is_gpu ? gpu() : at::Device(at::kCPU), at::kFloat,
                              1);
    const at::Tensor there = ids.to(model.device());
    const ForwardResult result = model.forward(there, options);
    model.loss(result, there).total.backward();
    tables[is_gpu] = spark_statistics(model, result).cpu();
  }
  // A pair at the threshold may fall to either side on the other device: one pair of 759.
  EXPECT_TRUE(at::allclose(tables[1], tables[0], 1e-3, 2.0 / 759)) << tables[1] - tables[0];
}

TEST_F(OnGpu, ControlsReachTheDevice) {
  LanguageModel model(small_config(), kVocabulary, gpu(), at::kFloat, 1);
  model.set_control("threshold_min", 7);
  EXPECT_EQ(model.thetas()[0].item<float>(), 7.0f);
  model.set_control("sparsity_weight", 0.25);
  EXPECT_EQ(model.controls().tensor("sparsity_weight").item<float>(), 0.25f);
}

}  // namespace
}  // namespace sparsescope::model
