// Position encodings: published vectors, and the laws that make them what they are.
#include "engine/model/positions/positions.h"

#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

using experiments::AlibiSlopes;
using experiments::RopeLayout;

const auto kF64 = at::TensorOptions().dtype(at::kDouble);
const auto kI64 = at::TensorOptions().dtype(at::kLong);

at::Tensor rope_at(const at::Tensor& x, std::int64_t position, RopeLayout layout) {
  return apply_rope(x, at::full({1}, position, kI64), 10000, layout);
}

TEST(Rope, TurnsTheReferenceVectorInBothLayouts) {
  const at::Tensor x = at::tensor({1.0, 2.0, 3.0, 4.0}, kF64).view({1, 4});
  const at::Tensor interleaved = at::tensor({-1.27223251, -1.83886499, 2.8786681, 4.08818664}, kF64);
  const at::Tensor half_split = at::tensor({-1.41335252, 1.87911807, -2.82885748, 4.05819114}, kF64);
  EXPECT_LT(largest_difference(rope_at(x, 3, RopeLayout::Interleaved)[0], interleaved), 5e-9);
  EXPECT_LT(largest_difference(rope_at(x, 3, RopeLayout::HalfSplit)[0], half_split), 5e-9);
}

TEST(Rope, ScoresDependOnDistancesAlone) {
  const at::Tensor q = draw_normal(1, "q", {1, 8}, 1), k = draw_normal(1, "k", {1, 8}, 1);
  for (const RopeLayout layout : {RopeLayout::Interleaved, RopeLayout::HalfSplit}) {
    const auto score = [&](std::int64_t m, std::int64_t n) {
      return (rope_at(q, m, layout) * rope_at(k, n, layout)).sum().item<double>();
    };
    for (const std::int64_t shift : {1, 10, 4000})
      EXPECT_NEAR(score(7, 3), score(7 + shift, 3 + shift), 1e-11);
    EXPECT_GT(std::abs(score(7, 3) - score(7, 4)), 1e-3);
  }
}

TEST(Rope, PositionZeroChangesNothing) {
  const at::Tensor x = draw_normal(1, "x", {1, 8}, 1);
  EXPECT_TRUE(rope_at(x, 0, RopeLayout::Interleaved).equal(x));
  EXPECT_TRUE(rope_at(x, 0, RopeLayout::HalfSplit).equal(x));
}

TEST(Rope, TheLayoutsAreEqualUpToAPermutationOfChannels) {
  const at::Tensor x = draw_normal(1, "x", {5, 8}, 1), positions = at::arange(5, kI64);
  const at::Tensor order =
      at::tensor({0, 2, 4, 6, 1, 3, 5, 7}, kI64);  // interleaved channel of each half-split channel
  const at::Tensor interleaved =
      apply_rope(x, positions, 10000, RopeLayout::Interleaved).index_select(1, order);
  const at::Tensor half_split = apply_rope(x.index_select(1, order), positions, 10000, RopeLayout::HalfSplit);
  EXPECT_TRUE(interleaved.equal(half_split));
}

TEST(Rope, RefusesHeadsOfOddWidth) {
  ModelConfig config = small_config(MixerKind::Dense, PositionKind::Rope);
  config.width = 6;
  EXPECT_THROW(LanguageModel(config, kVocabulary, at::kCPU, at::kFloat, 1), Error);
}

TEST(Alibi, SlopesFollowTheConventionThatTheRunNames) {
  EXPECT_EQ(alibi_slopes(4, AlibiSlopes::Geometric),
            (std::vector<double>{1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256}));
  EXPECT_EQ(alibi_slopes(4, AlibiSlopes::Interleaved), alibi_slopes(4, AlibiSlopes::Geometric));
  EXPECT_EQ(alibi_slopes(6, AlibiSlopes::Interleaved),
            (std::vector<double>{1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256, 1.0 / 2, 1.0 / 8}));
  EXPECT_DOUBLE_EQ(alibi_slopes(6, AlibiSlopes::Geometric)[2], std::exp2(-4));
}

// softmax over keys at the given positions that lie at or before the query.
at::Tensor weights_with(const at::Tensor& logits, const at::Tensor& bias, const at::Tensor& key_positions) {
  const at::Tensor queries = at::arange(logits.size(1), kI64);
  const at::Tensor is_future = key_positions.unsqueeze(0).gt(queries.unsqueeze(1));
  return at::softmax((logits + bias).masked_fill(is_future, -INFINITY), -1);
}

TEST(Alibi, OneConstantPerKeyGivesTheSameWeightsAsTheFullBias) {
  const std::int64_t tokens = 33;
  const at::Tensor positions = at::arange(tokens, kI64),
                   logits = draw_normal(1, "logits", {6, tokens, tokens}, 1);
  const std::vector<double> slopes = alibi_slopes(6, AlibiSlopes::Interleaved);
  const at::Tensor columns = at::tensor(slopes, kF64).view({6, 1, 1}) * positions.view({1, 1, tokens});
  EXPECT_LT(
      largest_difference(weights_with(logits, alibi_bias(slopes, positions, positions, kF64), positions),
                         weights_with(logits, columns, positions)),
      1e-12);
}

TEST(Alibi, SlopesOfZeroAreNoPositionEncoding) {
  const at::Tensor positions = at::arange(9, kI64);
  EXPECT_TRUE(alibi_bias({0, 0}, positions, positions, kF64).eq(0).all().item<bool>());
}

TEST(Alibi, KeysMayComeInAnyOrderIfTheirPositionsComeAlong) {
  const std::int64_t tokens = 21;
  const at::Tensor positions = at::arange(tokens, kI64),
                   logits = draw_normal(1, "logits", {2, tokens, tokens}, 1);
  const at::Tensor order = draw_normal(2, "order", {tokens}, 1).argsort();
  const std::vector<double> slopes = alibi_slopes(2, AlibiSlopes::Geometric);
  const at::Tensor in_order = weights_with(logits, alibi_bias(slopes, positions, positions, kF64), positions);
  const at::Tensor gathered =
      weights_with(logits.index_select(2, order), alibi_bias(slopes, positions, order, kF64), order);
  EXPECT_LT(largest_difference(in_order.index_select(2, order), gathered), 1e-15);
}

TEST(Alibi, TheModelAddsTheBiasToItsLogits) {
  const ModelConfig config = small_config(MixerKind::Dense, PositionKind::Alibi);
  const LanguageModel with(config, kVocabulary, at::kCPU, at::kDouble, 1),
      without(small_config(MixerKind::Dense, PositionKind::None), kVocabulary, at::kCPU, at::kDouble, 1);
  ObservationStore seen_with({Observation::AttentionLogits}, {0}),
      seen_without({Observation::AttentionLogits}, {0});
  ForwardOptions options;
  options.observer = &seen_with;
  with.forward(random_ids(1, 9), options);
  options.observer = &seen_without;
  without.forward(random_ids(1, 9), options);
  const at::Tensor positions = at::arange(9, kI64);
  const at::Tensor bias = alibi_bias(alibi_slopes(2, AlibiSlopes::Geometric), positions, positions, kF64);
  EXPECT_LT(largest_difference(seen_with.get(Observation::AttentionLogits, 0)[0],
                               seen_without.get(Observation::AttentionLogits, 0)[0] + bias),
            1e-12);
}

TEST(LearnedPositions, EndInASentenceNotInAClamp) {
  const LanguageModel model(small_config(MixerKind::Dense, PositionKind::Learned), kVocabulary, at::kCPU,
                            at::kFloat, 1);
  EXPECT_NO_THROW(logits_of(model, random_ids(1, 32)));
  try {
    logits_of(model, random_ids(1, 33));
    FAIL() << "33 tokens passed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("32"), std::string::npos) << error.what();
  }
}

TEST(NoPositions, AModelWithoutThemSeesASetOfPastTokens) {
  ModelConfig config = small_config(MixerKind::Dense, PositionKind::None);
  config.layers = 1;
  const LanguageModel model(config, kVocabulary, at::kCPU, at::kDouble, 1);
  const at::Tensor ids = at::tensor({1, 2, 3, 4}, kI64).view({1, 4}),
                   shuffled = at::tensor({3, 1, 2, 4}, kI64).view({1, 4});
  EXPECT_LT(largest_difference(logits_of(model, ids)[0][3], logits_of(model, shuffled)[0][3]), 1e-12);
}

}  // namespace
}  // namespace sparsescope::model
