// The kernel of SPaRK's decision against its CPU reference, on sizes that fit no tile. Needs a GPU, skips
// itself without one.
#include <limits>

#include "kernels/common/tolerance.h"
#include "tests/kernels/gpu_test.h"
#include "tests/kernels/scope_case.h"

namespace sparsescope::kernels {
namespace {

ScopeResult run_kernel(const ScopeCase& made) {
  ScopeResult result(made.shape);
  DeviceArray<float> scores(made.scores), theta(std::vector<float>{made.theta});
  DeviceArray<std::uint8_t> reasons(result.reasons);
  DeviceArray<std::int32_t> row_counts(result.row_counts);
  DeviceArray<double> row_moments(result.row_moments);
  DeviceArray<std::uint32_t> scratch(std::vector<std::uint32_t>(
      made.shape.batch * made.shape.tokens * scope_words(made.shape.tokens), 0xffffffffu));
  spark_scope(scores.get(), theta.get(), made.shape, made.rule,
              {reasons.get(), row_counts.get(), row_moments.get()}, scratch.get(), nullptr);
  check_cuda(cudaDeviceSynchronize(), "spark_scope");
  result.reasons = reasons.fetch();
  result.row_counts = row_counts.fetch();
  result.row_moments = row_moments.fetch();
  return result;
}

void expect_equal(const ScopeCase& made, const std::string& what) {
  const ScopeResult got = run_kernel(made), wanted = run_reference(made);
  EXPECT_EQ(got.reasons, wanted.reasons) << what;
  EXPECT_EQ(got.row_counts, wanted.row_counts) << what;
  // Sums of up to T terms in another order.
  EXPECT_EQ(
      first_outside(got.row_moments, wanted.row_moments, {1e-9, kEpsilonF64, double(made.shape.tokens)}), "")
      << what;
}

using SparkScopeKernel = GpuTest;

TEST_F(SparkScopeKernel, AgreesWithTheReferenceOnSizesThatFitNoTile) {
  std::uint32_t seed = 1;
  for (const std::int64_t tokens : {1, 2, 31, 32, 33, 64, 65, 127, 257}) {
    for (const bool inheritance : {false, true}) {
      for (const float theta : {-10.0f, 0.0f, 2.0f, 10.0f}) {
        const ScopeRule rule{inheritance, seed % 3 != 0, 1 + seed % 70};
        expect_equal(make_case({3, tokens}, rule, theta, seed),
                     "T " + std::to_string(tokens) + ", theta " + std::to_string(theta));
        ++seed;
      }
    }
  }
}

TEST_F(SparkScopeKernel, AgreesWithTheReferenceOnLongSequences) {
  for (const std::int64_t tokens : {1024, 1500}) {
    for (const float theta : {1.5f, 3.0f})
      expect_equal(make_case({2, tokens}, {true, true, 32}, theta, 77), "T " + std::to_string(tokens));
  }
}

TEST_F(SparkScopeKernel, CountsScoresThatAreNotFiniteLikeTheReference) {
  ScopeCase made = make_case({1, 70}, {true, true, 8}, 1, 5);
  made.scores[69 * 70 + 3] = std::numeric_limits<float>::quiet_NaN();
  made.scores[40 * 70 + 40] = std::numeric_limits<float>::infinity();
  made.scores[2 * 70 + 60] = std::numeric_limits<float>::quiet_NaN();
  const ScopeResult got = run_kernel(made), wanted = run_reference(made);
  EXPECT_EQ(got.row_counts, wanted.row_counts);
  EXPECT_EQ(got.reasons, wanted.reasons);
}

TEST_F(SparkScopeKernel, GivesTheSameBitsEveryTime) {
  const ScopeCase made = make_case({4, 257}, {true, true, 32}, 1, 11);
  const ScopeResult first = run_kernel(made);
  for (int repetition = 0; repetition < 5; ++repetition) {
    const ScopeResult again = run_kernel(made);
    EXPECT_EQ(again.reasons, first.reasons);
    EXPECT_EQ(again.row_counts, first.row_counts);
    EXPECT_EQ(again.row_moments, first.row_moments);
  }
}

}  // namespace
}  // namespace sparsescope::kernels
