// The form of a model is data: parameter counts, names, initial values, and what a wrong configuration says.
#include <set>

#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

ModelConfig config_p() {
  ModelConfig config;
  config.layers = 6;
  config.width = 192;
  config.heads = 6;
  config.mixer = MixerKind::Dense;
  config.position = PositionKind::Rope;
  config.spark.rank = 64;
  return config;
}

TEST(Form, ConfigurationPHasTheKnownNumberOfParameters) {
  ModelConfig config = config_p();
  EXPECT_EQ(LanguageModel(config, 4096, at::kCPU, at::kFloat, 1).table().count(), 3443136);
  config.mixer = MixerKind::Spark;
  EXPECT_EQ(LanguageModel(config, 4096, at::kCPU, at::kFloat, 1).table().count(), 3779014);
}

TEST(Form, SegmentsSayWhatTheOptimizerMustKnow) {
  ModelConfig config = small_config();
  config.spark.theta_lr_multiplier = 3;
  config.biases = true;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
  std::set<std::string> names;
  for (const Parameter& parameter : model.parameters()) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    EXPECT_EQ(parameter.weight_decay, parameter.value.dim() == 2) << parameter.name;
    const bool is_theta = parameter.name.ends_with(".theta");
    EXPECT_EQ(parameter.lr_multiplier, is_theta ? 3 : 1) << parameter.name;
    EXPECT_TRUE(parameter.value.is_leaf() && parameter.value.requires_grad()) << parameter.name;
    EXPECT_EQ(parameter.value.dim() == 0, is_theta) << parameter.name;
  }
  EXPECT_EQ(model.thetas().size(), 2u);
}

TEST(Form, InitialValuesDependOnSeedAndNameAlone) {
  const LanguageModel first(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  at::rand({1000});  // somebody else's random numbers
  const LanguageModel again(small_config(), kVocabulary, at::kCPU, at::kFloat, 1),
      other(small_config(), kVocabulary, at::kCPU, at::kFloat, 2);
  const LanguageModel dense(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kFloat, 1);
  for (const Parameter& parameter : first.parameters()) {
    EXPECT_TRUE(parameter.value.equal(again.table().find(parameter.name)->value)) << parameter.name;
    const bool is_random = parameter.value.dim() == 2;
    EXPECT_EQ(parameter.value.equal(other.table().find(parameter.name)->value), !is_random) << parameter.name;
  }
  for (const Parameter& parameter : dense.parameters()) {
    EXPECT_TRUE(parameter.value.equal(first.table().find(parameter.name)->value)) << parameter.name;
  }
}

TEST(Form, BuildingAModelLeavesTheGlobalGeneratorAlone) {
  at::manual_seed(5);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(5);
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  logits_of(model, random_ids(1, 9));
  EXPECT_TRUE(at::rand({4}).equal(expected));
}

TEST(Form, WeightsStartAtTheStatedSpread) {
  ModelConfig config = config_p();
  config.mixer = MixerKind::Spark;
  config.depth_scaled_init = true;
  const LanguageModel model(config, 4096, at::kCPU, at::kFloat, 1);
  const auto spread = [&](const char* name) { return model.table().find(name)->value.std().item<double>(); };
  EXPECT_NEAR(spread("embedding"), 0.02, 2e-4);
  EXPECT_NEAR(spread("spark.addresses"), 1, 1e-2);
  EXPECT_NEAR(spread("blocks.3.mixer.wz"), 0.02, 6e-4);
  EXPECT_NEAR(spread("blocks.3.mixer.wo"), 0.02 / std::sqrt(12.0), 1e-4);
}

TEST(Form, ScoresStartWithTheSpreadThatInitialThresholdsAreGivenIn) {
  ModelConfig config = config_p();
  config.mixer = MixerKind::Spark;
  config.spark.initial_theta_sigmas = 3.6;
  EXPECT_NEAR(initial_score_std(config, 0), 0.02 * std::sqrt(192.0), 1e-12);
  const LanguageModel model(config, 4096, at::kCPU, at::kFloat, 1);
  EXPECT_NEAR(model.thetas()[0].item<double>(), 3.6 * 0.277, 0.003);
  ObservationStore seen({Observation::Scores});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(random_ids(4, 128, 1, 4096), options);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    EXPECT_NEAR(seen.get(Observation::Scores, layer).std().item<double>(), initial_score_std(config, layer),
                0.03)
        << layer;
  }
}

TEST(Form, WrongConfigurationsAreRefusedInASentence) {
  const auto sentence = [](ModelConfig config) -> std::string {
    try {
      LanguageModel(config, kVocabulary, at::kCPU, at::kFloat, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::Usage);
      return error.what();
    }
    return {};
  };
  ModelConfig config = small_config();
  config.heads = 3;
  EXPECT_NE(sentence(config).find("model.heads divides model.width"), std::string::npos);
  config = small_config();
  config.depth = "staircase";
  EXPECT_NE(sentence(config).find("standard"), std::string::npos);
  config = small_config();
  config.spark.fallback_window = 0;
  EXPECT_NE(sentence(config).find("fallback_window"), std::string::npos);
}

TEST(Form, AnyLengthGoesThroughIncludingOneToken) {
  for (const NamedForm& form : all_mixers_and_positions()) {
    const LanguageModel model(form.config, kVocabulary, at::kCPU, at::kFloat, 1);
    for (const std::int64_t tokens : {1, 2, 25, 31}) {
      const at::Tensor logits = logits_of(model, random_ids(2, tokens));
      EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, tokens, kVocabulary})) << form.name;
      EXPECT_TRUE(logits.isfinite().all().item<bool>()) << form.name;
    }
  }
}

TEST(Form, TheLossIsTheMeanOverLabelsThatAreNotIgnored) {
  const LanguageModel model(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kDouble, 1);
  const at::Tensor ids = random_ids(2, 9);
  at::Tensor targets = at::full({2, 9}, kIgnoredLabel, ids.options());
  targets[1][4] = 3;
  const ForwardResult result = model.forward(ids);
  const double expected = -at::log_softmax(result.logits[1][4], 0)[3].item<double>();
  EXPECT_NEAR(model.loss(result, targets).total.item<double>(), expected, 1e-12);
}

}  // namespace
}  // namespace sparsescope::model
