// Looking changes nothing, and interventions change exactly what they say.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

const std::vector<Observation> kEverything = {Observation::MixerOutput,
                                              Observation::FeedForwardOutput,
                                              Observation::Query,
                                              Observation::Key,
                                              Observation::Value,
                                              Observation::AttentionLogits,
                                              Observation::AttentionWeights,
                                              Observation::Scores,
                                              Observation::Theta,
                                              Observation::Scope,
                                              Observation::Declaration};

TEST(Observation, ChangesNoBitOfLossOrGradients) {
  for (const NamedForm& form : all_mixers_and_positions()) {
    const LanguageModel watched(form.config, kVocabulary, at::kCPU, at::kFloat, 1),
        alone(form.config, kVocabulary, at::kCPU, at::kFloat, 1);
    const at::Tensor ids = random_ids(2, 19);
    ObservationStore seen(kEverything);
    ForwardOptions options;
    options.observer = &seen;
    const Loss with = watched.loss(watched.forward(ids, options), ids),
               without = alone.loss(alone.forward(ids), ids);
    EXPECT_TRUE(with.total.equal(without.total)) << form.name;
    with.total.backward();
    without.total.backward();
    for (const Parameter& parameter : watched.parameters()) {
      EXPECT_TRUE(parameter.value.grad().equal(alone.table().find(parameter.name)->value.grad()))
          << form.name << ", " << parameter.name;
    }
  }
}

TEST(Observation, ShowsDetachedTensorsOfTheStatedShapes) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen(kEverything);
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(3, 7), options);
  using Shape = std::vector<std::int64_t>;
  const std::vector<Shape> shapes = {{3, 7, 16},   {3, 7, 16},   {3, 2, 7, 8}, {3, 2, 7, 8},
                                     {3, 2, 7, 8}, {3, 2, 7, 7}, {3, 2, 7, 7}, {3, 7, 7},
                                     {},           {3, 7, 7},    {3, 7, 4}};
  for (std::size_t what = 0; what < kEverything.size(); ++what) {
    for (const std::int64_t layer : {0, 1}) {
      const at::Tensor value = seen.get(kEverything[what], layer);
      ASSERT_TRUE(value.defined()) << what;
      EXPECT_EQ(value.sizes(), shapes[what]) << what;
      EXPECT_FALSE(value.requires_grad()) << what;
    }
  }
}

TEST(Observation, AStoreHoldsOnlyWhatWasAskedFor) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Scope}, {1});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(1, 7), options);
  EXPECT_FALSE(seen.get(Observation::Scope, 0).defined());
  EXPECT_TRUE(seen.get(Observation::Scope, 1).defined());
  EXPECT_FALSE(seen.get(Observation::Scores, 1).defined());
}

TEST(Observation, LogitsAndScopeExplainTheWeights) {
  const LanguageModel model(small_config(MixerKind::Spark, PositionKind::Alibi), kVocabulary, at::kCPU,
                            at::kDouble, 1);
  ObservationStore seen(kEverything);
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(2, 19), options);
  const at::Tensor masked = seen.get(Observation::AttentionLogits, 1)
                                .masked_fill(seen.get(Observation::Scope, 1).eq(0).unsqueeze(1), -INFINITY);
  EXPECT_LT(largest_difference(at::softmax(masked, -1), seen.get(Observation::AttentionWeights, 1)), 1e-14);
}

TEST(Intervention, ForcingTheLayersOwnScopeChangesNoBitAndAnotherOneDoes) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  const at::Tensor ids = random_ids(2, 19);
  ObservationStore seen({Observation::Scope});
  ForwardOptions options;
  options.observer = &seen;
  const at::Tensor before = model.forward(ids, options).logits;
  Interventions forced{{seen.get(Observation::Scope, 0), seen.get(Observation::Scope, 1)}, {}};
  ForwardOptions with;
  with.interventions = &forced;
  EXPECT_TRUE(model.forward(ids, with).logits.equal(before));
  forced.scope[1] =
      (at::eye(19, seen.get(Observation::Scope, 1).options()) * 8).expand({2, 19, 19}).contiguous();
  EXPECT_FALSE(model.forward(ids, with).logits.equal(before));
  forced.scope[1] = forced.scope[1].narrow(0, 0, 1);
  EXPECT_THROW(model.forward(ids, with), std::logic_error);
}

TEST(Intervention, SilencingEverySublayerLeavesTheEmbeddingAndTheHead) {
  const LanguageModel model(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kDouble, 1);
  const Interventions silent{{}, {0, 1, 2, 3}};
  ForwardOptions options;
  options.interventions = &silent;
  const at::Tensor ids = random_ids(1, 7), table = model.table().find("embedding")->value;
  const at::Tensor x = at::embedding(table, ids);
  const at::Tensor expected = at::linear(x * at::rsqrt(x.square().mean(-1, true) + 1e-6), table);
  EXPECT_LT(largest_difference(model.forward(ids, options).logits, expected), 1e-12);
}

}  // namespace
}  // namespace sparsescope::model
