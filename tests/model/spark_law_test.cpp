// SPaRK at the ends of its threshold is attention that we know.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Models of one seed share every parameter that they have in common.
LanguageModel spark_with(bool fallback, PositionKind position) {
  ModelConfig config = small_config(MixerKind::Spark, position);
  config.spark.fallback = fallback;
  return LanguageModel(config, kVocabulary, at::kCPU, at::kDouble, 1);
}

TEST(Spark, WithAThresholdOfMinusInfinityItIsDenseAttention) {
  for (const PositionKind position :
       {PositionKind::Rope, PositionKind::Alibi, PositionKind::Learned, PositionKind::None}) {
    const LanguageModel spark = spark_with(true, position), dense(small_config(MixerKind::Dense, position),
                                                                  kVocabulary, at::kCPU, at::kDouble, 1);
    set_thetas(spark, -kInfinity);
    const at::Tensor ids = random_ids(2, 19);
    const ForwardResult result = spark.forward(ids);
    EXPECT_LT(largest_difference(result.logits, logits_of(dense, ids)), 1e-12);
    EXPECT_EQ(result.spark[1].row_counts.select(-1, 0).sum().item<std::int64_t>(), 2 * 19 * 18 / 2);
  }
}

TEST(Spark, WithAThresholdOfInfinityAndFallbackItIsAWindow) {
  for (const PositionKind position : {PositionKind::Rope, PositionKind::Alibi}) {
    const LanguageModel spark = spark_with(true, position), window(small_config(MixerKind::Window, position),
                                                                   kVocabulary, at::kCPU, at::kDouble, 1);
    set_thetas(spark, kInfinity);
    EXPECT_LT(largest_difference(logits_of(spark, random_ids(2, 19)), logits_of(window, random_ids(2, 19))),
              1e-12);
  }
}

TEST(Spark, WithAThresholdOfInfinityAndNoFallbackEachTokenSeesOnlyItself) {
  const LanguageModel spark = spark_with(false, PositionKind::Rope);
  set_thetas(spark, kInfinity);
  ObservationStore seen({Observation::AttentionWeights, Observation::Scope});
  ForwardOptions options;
  options.observer = &seen;
  spark.forward(random_ids(2, 19), options);
  for (const std::int64_t layer : {0, 1}) {
    const at::Tensor weights = seen.get(Observation::AttentionWeights, layer),
                     scope = seen.get(Observation::Scope, layer);
    EXPECT_TRUE(weights.equal(at::eye(19, weights.options()).expand_as(weights)));
    EXPECT_TRUE(scope.equal((at::eye(19, scope.options()) * 8).expand_as(scope)));
  }
}

TEST(Spark, AttendsToItsScopeAndToNothingElse) {
  ModelConfig config = small_config();
  config.spark.inheritance = true;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::AttentionWeights, Observation::Scope});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(2, 23), options);
  const at::Tensor is_attended = seen.get(Observation::AttentionWeights, 1).ne(0),
                   in_scope = seen.get(Observation::Scope, 1).ne(0).unsqueeze(1);
  EXPECT_TRUE(is_attended.equal(in_scope.expand_as(is_attended)));
  EXPECT_FALSE(in_scope.tril().equal(at::ones_like(in_scope).tril()));
}

TEST(Spark, PermutingTheVocabularyChangesNothing) {
  const ModelConfig config = small_config();
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kDouble, 1),
      renamed(config, kVocabulary, at::kCPU, at::kDouble, 1);
  const at::Tensor order = draw_normal(3, "order", {kVocabulary}, 1).argsort();  // new id -> old id
  const at::Tensor new_of_old = order.argsort();
  for (const char* name : {"embedding", "spark.addresses"}) {
    renamed.table().find(name)->value.detach().copy_(
        model.table().find(name)->value.detach().index_select(0, order));
  }
  const at::Tensor ids = random_ids(2, 19);
  const at::Tensor expected = logits_of(model, ids).index_select(-1, order);
  EXPECT_LT(largest_difference(logits_of(renamed, new_of_old.index_select(0, ids.flatten()).view_as(ids)),
                               expected),
            1e-12);
}

TEST(Spark, ThePenaltyIsTheMeanSoftGateOverPastPairsAndHasItsOwnWeight) {
  ModelConfig config = small_config();
  config.spark.sparsity_weight = 0.5;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kDouble, 1);
  ObservationStore seen({Observation::Scores});
  ForwardOptions options;
  options.observer = &seen;
  const at::Tensor ids = random_ids(2, 19);
  const Loss loss = model.loss(model.forward(ids, options), ids.roll(-1, 1));
  double expected = 0;
  for (const std::int64_t layer : {0, 1}) {
    const at::Tensor gate =
        at::sigmoid((seen.get(Observation::Scores, layer).to(at::kDouble) - model.thetas()[layer].detach()) /
                    config.spark.tau);
    expected += gate.tril(-1).sum().item<double>() / (2 * 19 * 18 / 2) / 2;
  }
  ASSERT_EQ(loss.terms.size(), 2u);
  EXPECT_EQ(loss.terms[1].name, "sparsity");
  EXPECT_NEAR(loss.terms[1].value.item<double>(), expected, 1e-6);  // the observed scores are fp32
  EXPECT_NEAR(loss.total.item<double>(), loss.terms[0].value.item<double>() + 0.5 * expected, 1e-6);
  EXPECT_EQ(loss.terms[1].weight.item<float>(), 0.5f);
}

}  // namespace
}  // namespace sparsescope::model
