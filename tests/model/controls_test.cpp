// Live scalars: what may be written, and what clamping and freezing do to thresholds.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

std::string sentence_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage);
    return error.what();
  }
  return {};
}

TEST(Controls, AMemberReadsWhatWasWrittenLast) {
  ControlBlock block(at::kCPU);
  const at::Tensor live = block.add({"price", 0.5, 0, 2});
  EXPECT_EQ(live.item<float>(), 0.5f);
  block.set("price", 1.25);
  EXPECT_EQ(live.item<float>(), 1.25f);
  EXPECT_EQ(block.get("price"), 1.25);
  EXPECT_EQ(block.controls().front().value, 1.25);
}

TEST(Controls, RefuseUnknownNamesAndValuesOutOfRange) {
  ControlBlock block(at::kCPU);
  block.add({"price", 0.5, 0, 2});
  block.add({"pace", 0, 0, 100});
  EXPECT_NE(sentence_of([&] { block.set("prise", 1); }).find("price, pace"), std::string::npos);
  EXPECT_NE(sentence_of([&] { block.set("price", 2.5); }).find("0 to 2"), std::string::npos);
  EXPECT_NE(sentence_of([&] { block.set("price", std::nan("")); }), "");
  EXPECT_EQ(block.get("price"), 0.5);
  EXPECT_THROW(block.add({"price", 0, 0, 1}), std::logic_error);
}

TEST(Controls, SparkRegistersItsScalarsOnceAndOthersHaveNone) {
  const LanguageModel spark(small_config(), kVocabulary, at::kCPU, at::kFloat, 1),
      dense(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kFloat, 1);
  std::vector<std::string> names;
  for (const trace::Control& control : spark.controls().controls()) names.push_back(control.name);
  EXPECT_EQ(names, (std::vector<std::string>{"sparsity_weight", "threshold_min", "threshold_max",
                                             "threshold_freeze"}));
  EXPECT_TRUE(dense.controls().controls().empty());
}

// An update of the kind an optimizer makes.
void update(LanguageModel& model, double by) {
  model.before_update();
  for (at::Tensor theta : model.thetas()) theta.detach().add_(by);
  model.after_update();
}

TEST(Thresholds, AreHeldInsideTheirClampAtOnceAndAfterEveryUpdate) {
  LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  set_thetas(model, 0.5);
  model.set_control("threshold_min", 0.75);
  EXPECT_EQ(model.thetas()[0].item<float>(), 0.75f);
  update(model, -0.5);
  EXPECT_EQ(model.thetas()[1].item<float>(), 0.75f);
  model.set_control("threshold_max", 1);
  update(model, 5);
  EXPECT_EQ(model.thetas()[0].item<float>(), 1.0f);
  update(model, -0.125);
  EXPECT_EQ(model.thetas()[0].item<float>(), 0.875f);
}

TEST(Thresholds, KeepTheirValuesWhileFrozenAndMoveAgainAfterwards) {
  LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kFloat, 1);
  set_thetas(model, 0.5);
  model.set_control("threshold_freeze", 1);
  update(model, 0.25);
  EXPECT_EQ(model.thetas()[0].item<float>(), 0.5f);
  model.set_control("threshold_freeze", 0);
  update(model, 0.25);
  EXPECT_EQ(model.thetas()[0].item<float>(), 0.75f);
}

TEST(SparsityWeight, EntersTheLossWhenItIsSetAndPushesThresholdsUp) {
  LanguageModel model(small_config(), kVocabulary, at::kCPU, at::kDouble, 1);
  const at::Tensor ids = random_ids(2, 19);
  ForwardOptions options;
  options.statistics = Statistics::Collect;
  const Loss without = model.loss(model.forward(ids, options), ids);
  ASSERT_EQ(without.terms.size(), 2u);  // recorded at weight 0 as well
  EXPECT_TRUE(without.total.equal(without.terms[0].value));
  model.set_control("sparsity_weight", 10);
  const Loss with = model.loss(model.forward(ids, options), ids);
  EXPECT_NEAR(with.total.item<double>(),
              without.total.item<double>() + 10 * without.terms[1].value.item<double>(), 1e-12);
  with.total.backward();
  EXPECT_LT(model.thetas()[0].grad().item<double>(), 0);
}

}  // namespace
}  // namespace sparsescope::model
