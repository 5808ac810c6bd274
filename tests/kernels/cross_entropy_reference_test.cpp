// Laws of cross-entropy and its gradient on the CPU.
#include <gtest/gtest.h>

#include "tests/kernels/cross_entropy_case.h"

namespace sparsescope::kernels {
namespace {

TEST(CrossEntropyReference, IsTheLogarithmOfTheVocabularyWhereAllLogitsAreEqual) {
  CrossEntropyCase made = make_cross_entropy_case({2, 3, 100}, Labels::AllPredict, 1);
  std::fill(made.logits.begin(), made.logits.end(), 7.5f);
  const CrossEntropyResult result = run_reference(made);
  for (const float nll : result.nll) EXPECT_NEAR(nll, std::log(100.0), 1e-6);
  EXPECT_NEAR(result.loss, std::log(100.0), 1e-6);
}

TEST(CrossEntropyReference, HasTheGradientOfItsMean) {
  const CrossEntropyCase made = make_cross_entropy_case({1, 4, 13}, Labels::SomeIgnored, 3);
  const std::vector<float> gradient = widened(run_reference(made).d_logits);
  for (std::size_t i = 0; i < made.logits.size(); ++i) {
    CrossEntropyCase moved = made;
    moved.logits[i] = made.logits[i] + 1.0f / 64;
    const float above = run_reference(moved).loss;
    moved.logits[i] = made.logits[i] - 1.0f / 64;
    EXPECT_NEAR(gradient[i], (above - run_reference(moved).loss) * 32, 1e-3) << i;
  }
}

TEST(CrossEntropyReference, GivesIgnoredRowsNeitherLossNorGradientNorAShareOfTheMean) {
  CrossEntropyCase made = make_cross_entropy_case({3, 5, 8}, Labels::SomeIgnored, 4);
  const CrossEntropyResult result = run_reference(made);
  const TokenIds targets = made.targets(made.ids.data());
  int predicted = 0;
  for (std::int64_t n = 0; n < made.rows(); ++n) {
    if (targets[n] != kIgnoredTarget) {
      ++predicted;
      continue;
    }
    EXPECT_EQ(result.nll[n], 0);
    for (int v = 0; v < 8; ++v) EXPECT_EQ(float_from_bfloat16(result.d_logits[n * 8 + v]), 0);
  }
  EXPECT_GT(predicted, 0);
  EXPECT_LT(predicted, made.rows());
  EXPECT_EQ(result.inverse_count, 1.0f / float(predicted));
}

TEST(CrossEntropyReference, CountsRowsWithLogitsThatAreNotFiniteOnce) {
  CrossEntropyCase made = make_cross_entropy_case({1, 6, 10}, Labels::AllPredict, 5);
  made.logits[13] = NAN;
  made.logits[17] = INFINITY;
  made.logits[40] = -INFINITY;
  EXPECT_EQ(run_reference(made).non_finite, 2);
  made.ids[2] = kIgnoredTarget;  // row 1
  EXPECT_EQ(run_reference(made).non_finite, 1);
}

TEST(CrossEntropyReference, OfABatchThatPredictsNothingIsZero) {
  CrossEntropyCase made = make_cross_entropy_case({1, 3, 5}, Labels::AllPredict, 6);
  std::fill(made.ids.begin(), made.ids.end(), kIgnoredTarget);
  const CrossEntropyResult result = run_reference(made);
  EXPECT_EQ(result.inverse_count, 0);
  EXPECT_EQ(result.loss, 0);
}

}  // namespace
}  // namespace sparsescope::kernels
