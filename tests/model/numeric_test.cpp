// A value that is not a number is an alarm, never a closed gate.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What the model says after `value` was written into element 0 of the named parameter; empty when nothing.
std::string alarm_after(MixerKind mixer, const std::string& parameter, double value) {
  const LanguageModel model(small_config(mixer), kVocabulary, at::kCPU, at::kFloat, 1);
  model.table().find(parameter)->value.detach().view({-1})[0] = value;
  at::Tensor ids = random_ids(2, 9);
  ids[0][8] = 0;  // the last token, whose declaration nobody reads, carries id 0
  try {
    raise_if_not_finite(model.forward(ids), 41);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("step 41"), std::string::npos) << error.what();
    return error.what();
  }
  return {};
}

TEST(Numeric, HealthyModelsRaiseNothing) {
  EXPECT_EQ(alarm_after(MixerKind::Spark, "embedding", 0.1), "");
  EXPECT_EQ(alarm_after(MixerKind::Dense, "embedding", 0.1), "");
}

TEST(Numeric, ABadAddressOrDeclarationNamesTheLayerWhoseScoresItSpoils) {
  for (const double value : {kNan, kInfinity}) {
    EXPECT_NE(alarm_after(MixerKind::Spark, "spark.addresses", value).find("scores of layer 0"),
              std::string::npos);
    EXPECT_NE(alarm_after(MixerKind::Spark, "blocks.1.mixer.wz", value).find("scores of layer 1"),
              std::string::npos);
  }
}

TEST(Numeric, AThresholdThatIsNotANumberRaises) {
  EXPECT_NE(alarm_after(MixerKind::Spark, "blocks.1.mixer.theta", kNan).find("threshold of layer 1"),
            std::string::npos);
}

TEST(Numeric, LogitsThatAreNotFiniteRaiseInEveryMixer) {
  for (const MixerKind mixer : {MixerKind::Dense, MixerKind::Window, MixerKind::Spark}) {
    EXPECT_NE(alarm_after(mixer, "norm.gain", kNan).find("logits"), std::string::npos);
    EXPECT_NE(alarm_after(mixer, "blocks.1.mixer.wqkv", kNan).find("logits"), std::string::npos);
    EXPECT_NE(alarm_after(mixer, "norm.gain", kInfinity).find("logits"), std::string::npos);
  }
}

TEST(Numeric, ABadScoreInTheDiagonalOfTheLastTokenIsSeen) {
  const LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  model.table().find("embedding")->value.detach()[5] = kNan;
  at::Tensor ids = at::zeros({1, 9}, at::TensorOptions().dtype(at::kLong));
  EXPECT_EQ(model.forward(ids).spark[0].row_counts.select(-1, 4).sum().item<std::int64_t>(), 0);
  ids[0][8] = 5;
  EXPECT_GT(model.forward(ids).spark[0].row_counts.select(-1, 4).sum().item<std::int64_t>(), 0);
}

TEST(Numeric, EmptyRowsNeverMakeANotANumber) {
  for (const bool fallback : {false, true}) {
    for (const Estimator estimator : {Estimator::Surrogate, Estimator::InScope}) {
      ModelConfig config = small_config();
      config.spark.fallback = fallback;
      config.spark.estimator = estimator;
      config.spark.initial_theta_sigmas = 1e6;
      const LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 1);
      const at::Tensor ids = random_ids(2, 9);
      model.loss(model.forward(ids), ids).total.backward();
      for (const Parameter& parameter : model.parameters()) {
        EXPECT_TRUE(!parameter.value.grad().defined() || parameter.value.grad().isfinite().all().item<bool>())
            << parameter.name;
      }
    }
  }
}

}  // namespace
}  // namespace sparsescope::model
