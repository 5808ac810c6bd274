// What is said about a step in which something was not a finite number.
#include "engine/train/non_finite.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randint.h>
#include <gtest/gtest.h>

#include <limits>

namespace sparsescope::train {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class NonFinite : public testing::Test {
 protected:
  static experiments::ModelConfig config() {
    experiments::ModelConfig config;
    config.layers = 2;
    config.width = 16;
    config.heads = 2;
    config.context = 12;
    config.spark.rank = 4;
    return config;
  }
  std::string words() { return non_finite_words(model_, ids_, 7); }
  at::Tensor value(const std::string& name) { return model_.table().find(name)->value.detach(); }

  model::LanguageModel model_{config(), 20, at::kCPU, at::kFloat, 1};
  const at::Tensor ids_ = at::randint(20, {2, 13}, at::TensorOptions().dtype(at::kLong));
};

TEST_F(NonFinite, AParameterIsNamed) {
  value("blocks.1.feed_forward.w2").select(0, 3).fill_(kNan);
  EXPECT_EQ(words(),
            "64 of 1024 values of the parameter blocks.1.feed_forward.w2 at step 7 are not finite numbers; "
            "lower the learning rate or load an earlier checkpoint");
}

TEST_F(NonFinite, TheLayerWhereNumbersOverflowIsNamed) {
  // Finite weights whose products are not: 3e38 times anything of size 10.
  value("blocks.1.norm2.gain").fill_(3e38f);
  value("blocks.1.feed_forward.w1").fill_(10.0f);
  EXPECT_NE(words().find("outputs of the feed-forward part of layer 1"), std::string::npos) << words();
}

TEST_F(NonFinite, AThresholdAtInfinityIsNoFault) {
  for (at::Tensor theta : model_.thetas()) theta.detach().fill_(std::numeric_limits<float>::infinity());
  EXPECT_NE(words().find("finds none that is not"), std::string::npos) << words();
}

TEST_F(NonFinite, LooksWithoutChangingParametersOrLeavingGradients) {
  const at::Tensor before = value("embedding").clone();
  words();
  EXPECT_TRUE(value("embedding").equal(before));
  for (const model::Parameter& parameter : model_.parameters())
    EXPECT_FALSE(parameter.value.grad().defined()) << parameter.name;
}

}  // namespace
}  // namespace sparsescope::train
