// Window attention at its two ends, and the arithmetic of its density.
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

at::Tensor weights_of(const LanguageModel& model, const at::Tensor& ids, std::int64_t layer = 0) {
  const c10::NoGradGuard no_graph;
  ObservationStore seen({Observation::AttentionWeights}, {layer});
  ForwardOptions options;
  options.observer = &seen;
  model.forward(ids, options);
  return seen.get(Observation::AttentionWeights, layer);
}

LanguageModel windowed(std::int64_t window) {
  ModelConfig config = small_config(MixerKind::Window);
  config.window = window;
  return LanguageModel(config, kVocabulary, at::kCPU, at::kFloat, 1);
}

TEST(Window, AWindowAtLeastAsLongAsTheSequenceIsDenseAttention) {
  const LanguageModel dense(small_config(MixerKind::Dense), kVocabulary, at::kCPU, at::kFloat, 1);
  const at::Tensor ids = random_ids(2, 19), wanted = logits_of(dense, ids);
  for (const std::int64_t window : {19, 20, 1000})
    EXPECT_TRUE(logits_of(windowed(window), ids).equal(wanted)) << window;
  EXPECT_FALSE(logits_of(windowed(18), ids).equal(wanted));
}

TEST(Window, AWindowOfOneReturnsTheTokensOwnValue) {
  const at::Tensor weights = weights_of(windowed(1), random_ids(2, 19));
  EXPECT_TRUE(weights.equal(at::eye(19).expand_as(weights)));
}

TEST(Window, EveryQuerySeesTheLastKeysAndNoOther) {
  const std::int64_t tokens = 19, window = 5;
  const at::Tensor is_seen = weights_of(windowed(window), random_ids(1, tokens)).gt(0)[0][1];
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t p = 0; p < tokens; ++p)
      EXPECT_EQ(is_seen[t][p].item<bool>(), p <= t && t - p < window) << t << " " << p;
  }
}

}  // namespace
}  // namespace sparsescope::model
