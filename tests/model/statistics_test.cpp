// What is recorded of every step, against its definition; and what probes read from a sequence.
#include "engine/model/spark_statistics.h"
#include "kernels/spark_scope/spark_scope_op.h"
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

at::Tensor statistics_of(const LanguageModel& model, const at::Tensor& ids, Observer* observer = nullptr) {
  ForwardOptions options;
  options.statistics = Statistics::Collect;
  options.observer = observer;
  const ForwardResult result = model.forward(ids, options);
  model.loss(result, ids).total.backward();
  return spark_statistics(model, result);
}

TEST(Statistics, FollowTheirDefinitions) {
  ModelConfig config = small_config();
  config.spark.inheritance = true;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Scores, Observation::Scope});
  const at::Tensor ids = random_ids(3, 21), table = statistics_of(model, ids, &seen);
  EXPECT_EQ(table.sizes(), (std::vector<std::int64_t>{2, kSparkStatisticCount}));
  const double pairs = 3 * 21 * 20 / 2;
  for (const std::int64_t layer : {0, 1}) {
    const auto value = [&](SparkStatistic column) { return table[layer][column].item<double>(); };
    const at::Tensor scores = seen.get(Observation::Scores, layer).to(at::kDouble),
                     scope = seen.get(Observation::Scope, layer);
    const at::Tensor past = scores.masked_select(at::ones_like(scores).tril(-1).to(at::kBool));
    const double theta = model.thetas()[layer].item<double>();
    EXPECT_EQ(value(kTheta), theta);
    EXPECT_NEAR(value(kScoreMean), past.mean().item<double>(), 1e-9);
    EXPECT_NEAR(value(kScoreStd), past.std(false).item<double>(), 1e-9);
    EXPECT_NEAR(value(kThetaSigmas), (theta - value(kScoreMean)) / value(kScoreStd), 1e-12);
    EXPECT_EQ(value(kThetaGradient), model.thetas()[layer].grad().item<double>());
    EXPECT_NEAR(value(kDirect), past.gt(theta).sum().item<double>() / pairs, 1e-12);
    EXPECT_NEAR(value(kInherited), scope.eq(2).sum().item<double>() / pairs, 1e-12);
    EXPECT_NEAR(value(kFallback), scope.eq(4).sum().item<double>() / pairs, 1e-12);
    EXPECT_NEAR(value(kScope), scope.tril(-1).ne(0).sum().item<double>() / pairs, 1e-12);
    EXPECT_NEAR(value(kSelf), 2.0 / 20, 1e-12);
    EXPECT_NEAR(value(kEmptyRows), scope.bitwise_and(1).sum(-1).eq(0).sum().item<double>() / (3 * 21), 1e-12);
    EXPECT_EQ(value(kNonFinite), 0);
    EXPECT_GT(value(kInherited), 0);
    EXPECT_GT(value(kFallback), 0);
  }
}

TEST(Statistics, ExpectedDensityIsTheSumOverIdsOfBothShares) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Declaration, Observation::Theta});
  const at::Tensor ids = random_ids(3, 21), table = statistics_of(model, ids, &seen);
  for (const std::int64_t layer : {0, 1}) {
    const at::Tensor scores =
        at::matmul(seen.get(Observation::Declaration, layer), model.addresses().t()) / std::sqrt(4.0);
    const at::Tensor declares = scores.gt(model.thetas()[layer]).flatten(0, 1);  // [63,V]
    double expected = 0, declared = 0;
    for (std::int64_t v = 0; v < kVocabulary; ++v) {
      const double text_share = ids.eq(v).sum().item<double>() / 63;
      const double declared_share = declares.select(1, v).sum().item<double>() / 63;
      expected += text_share * declared_share;
      declared += declared_share;
    }
    EXPECT_NEAR(table[layer][kDeclaredMean].item<double>(), declared, 1e-9);
    EXPECT_NEAR(table[layer][kExpected].item<double>(), expected, 1e-9);
  }
}

TEST(Statistics, WhenEverythingIsDeclaredTheExpectedDensityIsOneAndNeverMore) {
  ModelConfig config = small_config();
  config.spark.initial_theta_sigmas = -1e6;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  // One id only: the shares of the text are as uneven as can be.
  const at::Tensor table = statistics_of(model, at::full({2, 21}, 3, at::kLong));
  EXPECT_NEAR(table[0][kExpected].item<double>(), 1, 1e-12);
  EXPECT_NEAR(table[0][kDirect].item<double>(), 1, 1e-12);
}

TEST(Statistics, WithDeclarationsAtRandomTheExpectedDensityIsTheDirectOne) {
  ModelConfig config = small_config();
  config.spark.rank = 32;
  config.width = 64;
  config.init_std = 0.02;
  const LanguageModel model(config, 1000, at::kCPU, at::kFloat, 1);
  const at::Tensor table = statistics_of(model, random_ids(8, 128, 1, 1000));
  EXPECT_NEAR(table[0][kExpected].item<double>(), table[0][kDirect].item<double>(), 0.02);
  EXPECT_GT(table[0][kDirect].item<double>(), 0.1);
}

TEST(Statistics, ARunThatOnlyFallsBackHasTheDensityOfItsWindow) {
  for (const auto& [tokens, window, density] : {std::tuple{256, 32, 0.2279}, std::tuple{1024, 32, 0.0597},
                                                std::tuple{4096, 32, 0.0151}, std::tuple{57, 9, 0.2632}}) {
    const auto scope = kernels::spark_scope(at::zeros({1, tokens, tokens}), at::scalar_tensor(INFINITY),
                                            {true, true, window});
    const double fallback = scope.row_counts.select(-1, kernels::kCountFallback).sum().item<double>() /
                            (tokens * (tokens - 1.0) / 2);
    double exact = 0;
    for (std::int64_t t = 0; t < tokens; ++t) exact += std::min<double>(t, window - 1);
    EXPECT_DOUBLE_EQ(fallback, exact / (tokens * (tokens - 1.0) / 2));
    EXPECT_NEAR(fallback, density, 5.1e-5);
  }
  ModelConfig config = small_config();
  config.spark.initial_theta_sigmas = 1e6;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  const at::Tensor table = statistics_of(model, random_ids(2, 21));
  EXPECT_DOUBLE_EQ(table[0][kFallback].item<double>(), (0 + 1 + 2 + 3 + 17 * 4) / 210.0);
  EXPECT_DOUBLE_EQ(table[0][kScope].item<double>(), table[0][kFallback].item<double>());
  EXPECT_EQ(table[0][kEmptyRows].item<double>(), 1);
}

TEST(Statistics, AModelThatOnlyWindowsHasTheSameDensityInItsWeights) {
  ModelConfig config = small_config(MixerKind::Window);
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::AttentionWeights});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(1, 21), options);
  EXPECT_EQ(seen.get(Observation::AttentionWeights, 0)[0][0].tril(-1).ne(0).sum().item<int>(),
            0 + 1 + 2 + 3 + 17 * 4);
}

TEST(Statistics, ThePartsOfTheFirstTokenAreAllZero) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  const ForwardResult result = model.forward(random_ids(2, 21));
  const at::Tensor first = result.spark[0].row_counts.select(1, 0);
  EXPECT_TRUE(first.narrow(1, 0, 3).eq(0).all().item<bool>());
  EXPECT_TRUE(first.select(1, kernels::kCountEmpty).eq(1).all().item<bool>());
}

TEST(Probes, DirectScopesAreRebuiltFromDeclaredIds) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Scores, Observation::Theta, Observation::Scope});
  ForwardOptions options;
  options.observer = &seen;
  const at::Tensor ids = random_ids(1, 31);
  model.forward(ids, options);
  const std::vector<std::int64_t> distinct = distinct_ids(ids[0]);
  EXPECT_TRUE(std::is_sorted(distinct.begin(), distinct.end()));
  const at::Tensor named = at::tensor(distinct, at::TensorOptions().dtype(at::kLong));
  const DeclaredIds found =
      declared_ids(seen.get(Observation::Scores, 1)[0], seen.get(Observation::Theta, 1), ids[0], named);
  EXPECT_TRUE(found.occurs.all().item<bool>());
  const at::Tensor declared = found.bits;
  EXPECT_EQ(declared.sizes(), (std::vector<std::int64_t>{std::ssize(distinct), 31}));
  const at::Tensor scope = seen.get(Observation::Scope, 1)[0];
  for (std::int64_t t = 0; t < 31; ++t) {
    const auto row =
        std::lower_bound(distinct.begin(), distinct.end(), ids[0][t].item<std::int64_t>()) - distinct.begin();
    for (std::int64_t p = 0; p < t; ++p)
      EXPECT_EQ(declared[row][p].item<bool>(), (scope[t][p].item<int>() & 1) != 0) << t << " " << p;
  }
}

TEST(Probes, BitsArePackedLittleEndianWithPaddedRows) {
  const at::Tensor bits = at::zeros({2, 10}, at::TensorOptions().dtype(at::kBool));
  bits[0][0] = bits[0][3] = bits[1][8] = bits[1][9] = true;
  const at::Tensor packed = pack_bits(bits);
  EXPECT_TRUE(packed.equal(at::tensor({9, 0, 0, 3}, at::TensorOptions().dtype(at::kByte)).view({2, 2})));
  EXPECT_TRUE(pack_bits(at::ones({1, 8}, bits.options())).equal(at::full({1, 1}, 255, packed.options())));
}

TEST(Probes, TheBestDeclaredIdsAreTheLargestScoresOfTheWholeVocabulary) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  ObservationStore seen({Observation::Declaration});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(1, 9), options);
  const at::Tensor z = seen.get(Observation::Declaration, 0)[0];
  const DeclaredTop top = declared_top(model, z);
  const at::Tensor sorted = std::get<0>((at::matmul(z, model.addresses().t()) / 2).sort(-1, true));
  EXPECT_LT(largest_difference(top.scores, sorted.narrow(1, 0, 8)), 1e-6);
  EXPECT_LT(largest_difference(at::matmul(z, model.addresses().t()).div(2).gather(1, top.ids), top.scores),
            1e-6);
  EXPECT_EQ(declared_top(model, z, 100).ids.size(1), kVocabulary);
}

}  // namespace
}  // namespace sparsescope::model
