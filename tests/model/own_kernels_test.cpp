// The model in bf16 products with own kernels (here: their references) against the library's operations.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "model_support.h"

namespace sparsescope::model {
namespace {

double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  const at::Tensor a = got.to(at::kDouble), b = expected.to(at::kDouble);
  return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>();
}

// The loss, then the gradient of every parameter.
std::vector<at::Tensor> pass(LanguageModel& model, const at::Tensor& ids, const at::Tensor& targets,
                             Kernels kernels, ForwardOptions::Head head) {
  for (const Parameter& parameter : model.parameters()) parameter.value.mutable_grad() = at::Tensor();
  const Loss loss = model.loss(model.forward(ids, {.kernels = kernels, .head = head}), targets);
  loss.total.backward();
  std::vector<at::Tensor> made = {loss.total.detach()};
  for (const Parameter& parameter : model.parameters()) made.push_back(parameter.value.grad());
  return made;
}

TEST(OwnKernels, GiveTheLossAndGradientsOfTheLibrarysOperations) {
  using Head = ForwardOptions::Head;
  for (const MixerKind mixer : {MixerKind::Dense, MixerKind::Window, MixerKind::Spark}) {
    for (const PositionKind position : {PositionKind::Rope, PositionKind::Alibi, PositionKind::None}) {
      ModelConfig config = small_config(mixer, position);
      config.width = 32;
      config.heads = 2;  // of width 16
      LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 3, LanguageModel::Products::Bf16);
      const at::Tensor ids = random_ids(3, config.context), targets = random_ids(3, config.context, 9);
      targets.select(1, 2).fill_(kIgnoredLabel);
      const std::vector<at::Tensor> own = pass(model, ids, targets, Kernels::Own, Head::Hidden),
                                    library = pass(model, ids, targets, Kernels::Library, Head::Logits);
      EXPECT_NEAR(own[0].item<double>(), library[0].item<double>(), 2e-3);
      for (std::size_t i = 1; i < own.size(); ++i) {
        const Parameter& parameter = model.parameters()[i - 1];
        ASSERT_TRUE(own[i].defined()) << parameter.name;
        const double bound = parameter.name.ends_with("theta") ? 0.2 : 0.03;
        EXPECT_LT(relative_error(own[i], library[i]), bound) << parameter.name;
      }
    }
  }
}

TEST(OwnKernels, LeaveGradientsWhereTheyAreAddedToFlatBuffers) {
  LanguageModel model(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kFloat, 3,
                      LanguageModel::Products::Bf16);
  const at::Tensor ids = random_ids(2, 8), targets = random_ids(2, 8, 9);
  const std::vector<at::Tensor> expected =
      pass(model, ids, targets, Kernels::Own, ForwardOptions::Head::Hidden);
  model.table().lay_out_flat();
  const FlatParameters& flat = *model.table().flat();
  for (int i = 0; i < 2; ++i) {  // twice: what is there is added to
    const Loss loss = model.loss(model.forward(ids, {.head = ForwardOptions::Head::Hidden}), targets);
    loss.total.backward();
    EXPECT_EQ(loss.total.item<float>(), expected[0].item<float>());
  }
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const Parameter& parameter = model.parameters()[i];
    const at::Tensor gradient = flat.gradients.narrow(0, flat.begins[i], parameter.value.numel());
    EXPECT_LT(relative_error(gradient, 2 * expected[i + 1].flatten()), 1e-6) << parameter.name;
    EXPECT_TRUE(parameter.value.is_alias_of(flat.values)) << parameter.name;
    EXPECT_TRUE(parameter.gemm.is_alias_of(flat.gemm)) << parameter.name;
    EXPECT_EQ(flat.begins[i] % kSegmentAlignment, 0);
  }
}

}  // namespace
}  // namespace sparsescope::model
