// Declaration by rank: laws of top-K over the vocabulary, pure and with an offset.
#include "engine/model/mixers/spark_rank.h"

#include "engine/model/spark_statistics.h"
#include "kernels/spark_scope/spark_scope.h"
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

ModelConfig ranked(std::int64_t k, DeclarationRule rule = DeclarationRule::TopK, double sigmas = 0) {
  ModelConfig config = small_config();
  config.spark.rule = rule;
  config.spark.top_k = k;
  config.spark.initial_theta_sigmas = sigmas;
  return config;
}

struct Drawn {
  RankedInput input;
  at::Tensor table;  // [B,T,V], F
};
Drawn draw(std::uint64_t seed, at::ScalarType dtype) {
  const std::int64_t batch = 2, tokens = 11, rank = 4;
  Drawn made;
  made.input.ids = random_ids(batch, tokens, seed);
  made.input.declaration = draw_normal(seed, "z", {batch, tokens, rank}, 1).to(dtype).set_requires_grad(true);
  made.input.addresses = draw_normal(seed, "u", {kVocabulary, rank}, 1).to(dtype);
  made.input.address = at::embedding(made.input.addresses, made.input.ids).set_requires_grad(true);
  made.input.scale = 0.5;
  made.table = at::matmul(made.input.declaration.detach() * 0.5, made.input.addresses.t());
  return made;
}

TEST(SparkRank, DeclaresExactlyTheKBestIdsOfEachToken) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    for (const std::int64_t k : {std::int64_t{1}, std::int64_t{4}, kVocabulary}) {
      const Drawn made = draw(seed, at::kFloat);
      const at::Tensor relative = relative_to_rank(made.table, k);
      EXPECT_TRUE(relative.ge(0).sum(-1).eq(k).all().item<bool>()) << k;
      const at::Tensor scores = ranked_scores(made.input, k);
      for (std::int64_t t = 0; t < 11; ++t) {  // by hand: how many ids does p score above the query's
        for (std::int64_t p = 0; p < 11; ++p) {
          const at::Tensor row = made.table[0][p];
          const auto better =
              row.gt(row[made.input.ids[0][t].item<std::int64_t>()]).sum().item<std::int64_t>();
          EXPECT_EQ(scores[0][t][p].item<float>() >= 0, better < k);
        }
      }
    }
  }
}

TEST(SparkRank, TiesWithTheLastAreDeclaredToo) {
  const at::Tensor table = at::tensor({3.0f, 1.0f, 1.0f, 1.0f, 0.0f});
  const at::Tensor theta = just_below(at::zeros({}));
  EXPECT_EQ(relative_to_rank(table, 2).gt(theta).sum().item<int>(), 4);
  EXPECT_EQ(relative_to_rank(table, 1).gt(theta).sum().item<int>(), 1);
  EXPECT_TRUE(at::zeros({}).gt(theta).item<bool>());
  EXPECT_FALSE(theta.gt(theta).item<bool>());
}

TEST(SparkRank, GradientsAreThoseOfTheScoresThemselves) {
  const Drawn made = draw(7, at::kDouble), plain = draw(7, at::kDouble);
  const at::Tensor upstream = draw_normal(7, "g", {2, 11, 11}, 1);
  (ranked_scores(made.input, 3) * upstream).sum().backward();
  (at::matmul(plain.input.address * 0.5, plain.input.declaration.transpose(-2, -1)) * upstream)
      .sum()
      .backward();
  EXPECT_LT(largest_difference(made.input.declaration.grad(), plain.input.declaration.grad()), 1e-12);
  EXPECT_LT(largest_difference(made.input.address.grad(), plain.input.address.grad()), 1e-12);
}

TEST(SparkRank, TheWholeVocabularyIsDenseAttention) {
  const at::Tensor ids = random_ids(2, 23);
  const LanguageModel all(ranked(kVocabulary), kVocabulary, at::kCPU, at::kDouble, 1);
  ModelConfig open = small_config();
  const LanguageModel threshold(open, kVocabulary, at::kCPU, at::kDouble, 1);
  set_thetas(threshold, -1e6);
  EXPECT_LT(largest_difference(logits_of(all, ids), logits_of(threshold, ids)), 1e-12);
  const ForwardResult result = all.forward(ids);
  EXPECT_EQ(result.spark[0].row_counts.select(-1, kernels::kCountDirect).sum().item<std::int64_t>(),
            2 * 23 * 22 / 2);
}

// Ids, addresses and embeddings permuted together are the same model.
TEST(SparkRank, NamesOfIdsDoNotMatter) {
  const LanguageModel model(ranked(3), kVocabulary, at::kCPU, at::kDouble, 1),
      renamed(ranked(3), kVocabulary, at::kCPU, at::kDouble, 1);
  const at::Tensor ids = random_ids(2, 23), names = (at::arange(kVocabulary) * 5 + 2).remainder(kVocabulary);
  for (const Parameter& parameter : renamed.parameters()) {
    if (parameter.name != "embedding" && parameter.name != "spark.addresses") continue;
    const at::Tensor kept = parameter.value.detach().clone();
    parameter.value.detach().index_copy_(0, names, kept);
  }
  const at::Tensor wanted = logits_of(model, ids);  // [B,T,V]
  const at::Tensor got = logits_of(renamed, names.index_select(0, ids.flatten()).view_as(ids));
  EXPECT_LT(largest_difference(got.index_select(-1, names), wanted), 1e-12);
}

TEST(SparkRank, AtRandomDirectDensityIsKOverV) {
  const std::int64_t vocabulary = 64, k = 8;
  ModelConfig config = ranked(k);
  config.layers = 1, config.width = 64, config.spark.rank = 32, config.spark.fallback = false;
  const at::Tensor ids = random_ids(32, 24, 5, vocabulary);
  const LanguageModel model(config, vocabulary, at::kCPU, at::kFloat, 9);
  const ForwardResult result = model.forward(ids, {.statistics = Statistics::Collect});
  const at::Tensor statistics = spark_statistics(model, result);
  const double density = statistics[0][kDirect].item<double>();
  std::cout << "direct density " << density << " against K/V = " << double(k) / vocabulary << "\n";
  EXPECT_NEAR(density, double(k) / vocabulary, 0.03);
  EXPECT_EQ(statistics[0][kDeclaredMean].item<double>(), k);
}

TEST(SparkRank, PureTopKHasNoThresholdThatTrainsAndAnOffsetDoes) {
  const LanguageModel pure(ranked(3), kVocabulary, at::kCPU, at::kFloat, 1),
      offset(ranked(3, DeclarationRule::TopKOffset, -0.3), kVocabulary, at::kCPU, at::kFloat, 1);
  EXPECT_EQ(pure.table().find("blocks.0.mixer.theta")->lr_multiplier, 0);
  EXPECT_EQ(offset.table().find("blocks.0.mixer.theta")->lr_multiplier, 1);
  EXPECT_EQ(pure.thetas()[0].item<float>(), 0);
  EXPECT_LT(offset.thetas()[0].item<float>(), 0);
  const ForwardResult result = offset.forward(random_ids(2, 23));
  offset.loss(result, random_ids(2, 23, 2)).total.backward();
  EXPECT_NE(offset.thetas()[0].grad().item<float>(), 0);
}

TEST(SparkRank, ProbesSeeTheDeclarationsThatDecided) {
  const LanguageModel model(ranked(3), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Scores, Observation::Theta, Observation::Declaration, Observation::Scope});
  const at::Tensor ids = random_ids(1, 23);
  model.forward(ids, {.observer = &seen});
  const at::Tensor z = seen.get(Observation::Declaration, 1)[0];
  const DeclaredTop top = declared_top(model, z, 5);
  EXPECT_TRUE(top.scores.select(1, 2).eq(0).all().item<bool>());
  EXPECT_TRUE(top.scores.select(1, 3).lt(0).all().item<bool>());
  const at::Tensor everything = scores_of_ids(model, z, at::arange(kVocabulary));  // [V,T]
  EXPECT_TRUE(everything.gt(seen.get(Observation::Theta, 1)).sum(0).eq(3).all().item<bool>());
  const at::Tensor direct = seen.get(Observation::Scope, 1)[0].bitwise_and(kernels::kDirect).ne(0);
  EXPECT_TRUE(everything.index_select(0, ids[0]).ge(0).tril(-1).equal(direct));
}

}  // namespace
}  // namespace sparsescope::model
