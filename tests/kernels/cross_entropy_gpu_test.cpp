// Cross-entropy with its gradient on a GPU against the fp64 reference. Needs a GPU, skips itself without one.
#include "kernels/common/tolerance.h"
#include "tests/kernels/cross_entropy_case.h"
#include "tests/kernels/gpu_test.h"

namespace sparsescope::kernels {
namespace {

enum class LogitType { Fp32, Bf16InPlace };

// In chunks of `chunk_rows` rows.
CrossEntropyResult run_kernel(const CrossEntropyCase& made, std::int64_t chunk_rows,
                              LogitType type = LogitType::Fp32) {
  CrossEntropyResult result;
  const std::int64_t rows = made.rows(), vocabulary = made.shape.vocabulary;
  DeviceArray<std::int64_t> ids(made.ids);
  DeviceArray<float> logits(made.logits), nll(rows), inverse_count(1), loss(1);
  DeviceArray<Bfloat16> rounded_logits(rounded(made.logits)), d_logits(made.logits.size());
  DeviceArray<Bfloat16>& gradient = type == LogitType::Fp32 ? d_logits : rounded_logits;
  DeviceArray<std::int32_t> non_finite(1);
  const TestStream stream;
  const TokenIds targets = made.targets(ids.get());
  count_targets(targets, inverse_count.get(), non_finite.get(), stream);
  for (std::int64_t first = 0; first < rows; first += chunk_rows) {
    const CrossEntropyChunk chunk = {targets, first, std::min(chunk_rows, rows - first), vocabulary};
    const CrossEntropyOutput output = {nll.get() + first, gradient.get() + first * vocabulary,
                                       non_finite.get()};
    if (type == LogitType::Fp32) {
      cross_entropy(logits.get() + first * vocabulary, chunk, inverse_count.get(), output, stream);
    } else {
      cross_entropy(rounded_logits.get() + first * vocabulary, chunk, inverse_count.get(), output, stream);
    }
  }
  mean_nll(nll.get(), rows, inverse_count.get(), loss.get(), stream);
  stream.wait();
  result.nll = nll.fetch();
  result.d_logits = gradient.fetch();
  result.inverse_count = inverse_count.fetch()[0];
  result.loss = loss.fetch()[0];
  result.non_finite = non_finite.fetch()[0];
  return result;
}

void expect_close(const CrossEntropyResult& got, const CrossEntropyResult& wanted, const std::string& what) {
  EXPECT_EQ(got.inverse_count, wanted.inverse_count) << what;
  EXPECT_EQ(got.non_finite, wanted.non_finite) << what;
  EXPECT_EQ(first_outside(got.nll, wanted.nll, {1e-5, kEpsilonF32, 8}), "") << what;
  EXPECT_NEAR(got.loss, wanted.loss, 2e-6 * std::abs(wanted.loss)) << what;
  // A share is exact to fp32 exponentials; where it lies between two bf16 numbers it may fall the other way.
  const double atol = 1e-6 * wanted.inverse_count;
  EXPECT_EQ(first_outside(widened(got.d_logits), widened(wanted.d_logits), {atol, kEpsilonBf16, 2.02}), "")
      << what;
  if (wanted.inverse_count != 0) {
    EXPECT_LE(relative_error(widened(got.d_logits), widened(wanted.d_logits)), 1e-3) << what;
  }
}

using CrossEntropyKernel = GpuTest;

TEST_F(CrossEntropyKernel, AgreesWithTheReferenceOnEveryWayToHoldARow) {
  std::uint32_t seed = 1;
  for (const std::int64_t vocabulary : {1,    2,    3,    127,  128,  129,  256,  257,  500,  512,  1000,
                                        1024, 1026, 2048, 2050, 4096, 4097, 8188, 8191, 8192, 8193, 20000}) {
    const CrossEntropyCase made = make_cross_entropy_case({3, 7, vocabulary}, Labels::SomeIgnored, seed++);
    expect_close(run_kernel(made, 21), run_reference(made), "V " + std::to_string(vocabulary));
  }
}

TEST_F(CrossEntropyKernel, AgreesWithTheReferenceInPlaceOnLogitsOfSixteenBits) {
  std::uint32_t seed = 1;
  for (const std::int64_t vocabulary : {5, 256, 1030, 4096, 8192, 9001}) {
    CrossEntropyCase made = make_cross_entropy_case({3, 7, vocabulary}, Labels::SomeIgnored, seed++);
    made.logits = widened(rounded(made.logits));
    expect_close(run_kernel(made, 21, LogitType::Bf16InPlace), run_reference(made),
                 "V " + std::to_string(vocabulary));
  }
}

TEST_F(CrossEntropyKernel, DoesNotCareHowTheBatchIsCutIntoChunks) {
  const CrossEntropyCase made = make_cross_entropy_case({9, 31, 300}, Labels::SomeIgnored, 3);
  const CrossEntropyResult whole = run_kernel(made, made.rows());
  expect_close(whole, run_reference(made), "whole");
  for (const std::int64_t rows : {1, 10, 64}) {
    const CrossEntropyResult cut = run_kernel(made, rows);
    EXPECT_EQ(cut.nll, whole.nll);
    EXPECT_EQ(cut.loss, whole.loss);
    EXPECT_EQ(widened(cut.d_logits), widened(whole.d_logits));
  }
}

TEST_F(CrossEntropyKernel, AgreesWithTheReferenceOnExtremeLogitsAndCountsNonFiniteRows) {
  for (const std::int64_t vocabulary : {60, 4096, 9000}) {
    CrossEntropyCase made = make_cross_entropy_case({1, 5, vocabulary}, Labels::AllPredict, 4);
    for (std::int64_t v = 0; v < vocabulary; ++v) made.logits[v] = 3e4f;
    made.logits[vocabulary + 3] = -1e30f;
    made.logits[2 * vocabulary + 9] = 500;
    expect_close(run_kernel(made, 5), run_reference(made), "extreme");
    made.logits[3 * vocabulary] = NAN;
    made.logits[4 * vocabulary - 1] = INFINITY;
    made.logits[5 * vocabulary - 1] = -INFINITY;
    const CrossEntropyResult got = run_kernel(made, 5);
    EXPECT_EQ(got.non_finite, 2);
    EXPECT_TRUE(std::isnan(got.nll[3]));
    EXPECT_FALSE(std::isfinite(got.loss));
  }
}

TEST_F(CrossEntropyKernel, OfABatchThatPredictsNothingIsZero) {
  CrossEntropyCase made = make_cross_entropy_case({2, 3, 50}, Labels::AllPredict, 6);
  std::fill(made.ids.begin(), made.ids.end(), kIgnoredTarget);
  expect_close(run_kernel(made, 6), run_reference(made), "nothing to predict");
}

TEST_F(CrossEntropyKernel, GivesTheSameBitsEveryTime) {
  const CrossEntropyCase made = make_cross_entropy_case({16, 64, 4096}, Labels::SomeIgnored, 5);
  const CrossEntropyResult first = run_kernel(made, 512);
  expect_close(first, run_reference(made), "config P");
  for (int repetition = 0; repetition < 3; ++repetition) {
    const CrossEntropyResult again = run_kernel(made, 512);
    EXPECT_EQ(again.loss, first.loss);
    EXPECT_EQ(widened(again.d_logits), widened(first.d_logits));
  }
}

}  // namespace
}  // namespace sparsescope::kernels
