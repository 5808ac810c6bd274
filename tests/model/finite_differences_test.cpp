// Gradients of whole models in fp64 against central differences, for every form that a configuration can
// name.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

constexpr double kStep = 1e-5;

double loss_value(const LanguageModel& model, const at::Tensor& ids, const at::Tensor& targets) {
  const c10::NoGradGuard no_graph;
  return model.loss(model.forward(ids), targets).total.item<double>();
}

// Compares a few elements of every parameter.
void expect_gradients(const ModelConfig& config, const std::string& name) {
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kDouble, 2);
  const at::Tensor ids = random_ids(2, 9), targets = random_ids(2, 9, 7);
  model.loss(model.forward(ids), targets).total.backward();
  for (const Parameter& parameter : model.parameters()) {
    ASSERT_TRUE(parameter.value.grad().defined()) << name << ", " << parameter.name;
    double* values = parameter.value.data_ptr<double>();
    const at::Tensor slopes = parameter.value.grad().contiguous();
    for (std::int64_t pick = 0; pick < 3; ++pick) {
      const std::int64_t i = (pick * 7919 + 11) % parameter.value.numel();
      const double kept = values[i];
      values[i] = kept + kStep;
      const double up = loss_value(model, ids, targets);
      values[i] = kept - kStep;
      const double down = loss_value(model, ids, targets);
      values[i] = kept;
      EXPECT_NEAR(slopes.data_ptr<double>()[i], (up - down) / (2 * kStep), 1e-7)
          << name << ", " << parameter.name << "[" << i << "]";
    }
  }
}

TEST(Gradients, OfEveryMixerWithEveryPositionEncodingAreRight) {
  for (const PositionKind position :
       {PositionKind::Rope, PositionKind::Alibi, PositionKind::Learned, PositionKind::None}) {
    expect_gradients(small_config(MixerKind::Dense, position), "dense");
    expect_gradients(small_config(MixerKind::Window, position), "window");
  }
}

TEST(Gradients, OfEveryNormAndPlacementWithBiasesAndAnUntiedHeadAreRight) {
  for (const experiments::NormKind norm : {experiments::NormKind::Rms, experiments::NormKind::Layer}) {
    for (const experiments::NormPlacement placement :
         {experiments::NormPlacement::Pre, experiments::NormPlacement::Post}) {
      ModelConfig config = small_config(MixerKind::Dense, PositionKind::Learned);
      config.norm = norm;
      config.norm_placement = placement;
      config.biases = true;
      config.tied_head = false;
      expect_gradients(config, "a norm");
    }
  }
}

// The penalty is the one term that is exact in the scores.
TEST(Gradients, OfThePenaltyReachDeclarationsAddressesAndThresholds) {
  ModelConfig config = small_config();
  config.layers = 1;
  config.spark.sparsity_weight = 1;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kDouble, 2);
  const at::Tensor ids = random_ids(2, 9);
  const auto penalty = [&] { return model.loss(model.forward(ids), ids).terms[1].value; };
  penalty().backward();
  for (const char* name : {"spark.addresses", "blocks.0.mixer.wz", "blocks.0.mixer.theta"}) {
    const at::Tensor value = model.table().find(name)->value;
    double* first = value.data_ptr<double>() + value.numel() / 2;
    const double slope = value.grad().contiguous().data_ptr<double>()[value.numel() / 2], kept = *first;
    *first = kept + kStep;
    const double up = penalty().item<double>();
    *first = kept - kStep;
    const double down = penalty().item<double>();
    *first = kept;
    EXPECT_NEAR(slope, (up - down) / (2 * kStep), 1e-8) << name;
    EXPECT_NE(slope, 0) << name;
  }
}

}  // namespace
}  // namespace sparsescope::model
