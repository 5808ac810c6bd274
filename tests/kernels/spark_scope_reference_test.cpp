// The CPU reference of SPaRK's decision against a triple loop written from the definitions.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/common/tolerance.h"
#include "tests/kernels/scope_case.h"

namespace sparsescope::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Pair by pair, as the definitions read.
ScopeResult brute_force(const ScopeCase& made) {
  const auto [batch, tokens] = made.shape;
  ScopeResult result(made.shape);
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto score = [&](std::int64_t t, std::int64_t p) {
      return made.scores[(b * tokens + t) * tokens + p];
    };
    const auto is_direct = [&](std::int64_t t, std::int64_t p) { return p < t && score(t, p) > made.theta; };
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::int32_t counts[kScopeCounts] = {};
      double sum = 0, squares = 0;
      for (std::int64_t p = 0; p < t; ++p) counts[kCountDirect] += is_direct(t, p);
      counts[kCountEmpty] = counts[kCountDirect] == 0;
      for (std::int64_t p = 0; p < tokens; ++p) {
        bool is_inherited = false;
        for (std::int64_t heir = p + 1; made.rule.inheritance && heir < t; ++heir)
          is_inherited |= is_direct(t, heir) && is_direct(heir, p);
        const bool is_fallback =
            made.rule.fallback && counts[kCountEmpty] && p < t && t - p < made.rule.window;
        result.reasons[(b * tokens + t) * tokens + p] =
            (is_direct(t, p) ? 1 : 0) | (is_inherited ? 2 : 0) | (is_fallback ? 4 : 0) | (p == t ? 8 : 0);
        counts[kCountInherited] += is_inherited && !is_direct(t, p);
        counts[kCountFallback] += is_fallback;
        counts[kCountNonFinite] += p <= t && !std::isfinite(score(t, p));
        if (p < t) sum += score(t, p), squares += double(score(t, p)) * score(t, p);
      }
      std::copy(counts, counts + kScopeCounts, result.row_counts.begin() + (b * tokens + t) * kScopeCounts);
      result.row_moments[(b * tokens + t) * 2] = sum;
      result.row_moments[(b * tokens + t) * 2 + 1] = squares;
    }
  }
  return result;
}

void expect_equal(const ScopeCase& made, const std::string& what) {
  const ScopeResult got = run_reference(made), wanted = brute_force(made);
  EXPECT_EQ(got.reasons, wanted.reasons) << what;
  EXPECT_EQ(got.row_counts, wanted.row_counts) << what;
  // Sums of up to T terms in another order.
  EXPECT_EQ(
      first_outside(got.row_moments, wanted.row_moments, {1e-10, kEpsilonF64, double(made.shape.tokens)}), "")
      << what;
}

TEST(SparkScopeReference, AgreesWithATripleLoopOnEveryRuleAndOddSizes) {
  std::uint32_t seed = 1;
  for (const std::int64_t tokens : {1, 2, 3, 7, 31, 32, 33, 63, 64, 65, 127, 130}) {
    for (const bool inheritance : {false, true}) {
      for (const bool fallback : {false, true}) {
        for (const float theta : {-10.0f, 0.0f, 1.5f, 2.3f, 10.0f}) {
          const ScopeRule rule{inheritance, fallback, 1 + seed % 40};
          expect_equal(make_case({2, tokens}, rule, theta, seed),
                       "T " + std::to_string(tokens) + ", theta " + std::to_string(theta));
          ++seed;
        }
      }
    }
  }
}

TEST(SparkScopeReference, AgreesWithATripleLoopOnAThousandSmallRandomCases) {
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    const std::int64_t tokens = 2 + seed % 59;
    const ScopeRule rule{seed % 2 == 0, seed % 3 != 0, 1 + seed % 9};
    expect_equal(make_case({1, tokens}, rule, -0.5f + 0.01f * float(seed % 256), seed),
                 "case " + std::to_string(seed));
  }
}

TEST(SparkScopeReference, AScoreThatEqualsTheThresholdIsNotDeclared) {
  ScopeCase made = make_case({1, 2}, {false, false, 1}, 0.5f, 1);
  made.scores = {0, 0, 0.5f, 0};
  EXPECT_EQ(run_reference(made).reasons, (std::vector<std::uint8_t>{8, 0, 0, 8}));
  made.scores[2] = std::nextafter(0.5f, 1.0f);
  EXPECT_EQ(run_reference(made).reasons, (std::vector<std::uint8_t>{8, 0, 1, 8}));
}

TEST(SparkScopeReference, CountsScoresThatAreNotFiniteUpToTheDiagonal) {
  ScopeCase made = make_case({1, 5}, {}, 0, 3);
  made.scores[4 * 5 + 1] = kNan;
  made.scores[3 * 5 + 3] = kInfinity;
  made.scores[2 * 5 + 0] = -kInfinity;
  made.scores[1 * 5 + 4] = kNan;  // the future of token 1 is nobody's business
  const ScopeResult result = run_reference(made);
  std::vector<std::int32_t> not_finite;
  for (int t = 0; t < 5; ++t) not_finite.push_back(result.row_counts[t * kScopeCounts + kCountNonFinite]);
  EXPECT_EQ(not_finite, (std::vector<std::int32_t>{0, 0, 1, 1, 1}));
}

TEST(SparkScopeReference, PartsOfABatchAreTheWholeBatch) {
  const ScopeCase made = make_case({5, 33}, {true, true, 8}, 1, 9);
  const ScopeResult whole = run_reference(made);
  ScopeResult parts(made.shape);
  for (const auto& [first, last] : {std::pair{0, 2}, std::pair{2, 3}, std::pair{3, 5}}) {
    spark_scope_reference(made.scores.data(), &made.theta, made.shape, made.rule, parts.pointers(), first,
                          last);
  }
  EXPECT_EQ(parts.reasons, whole.reasons);
  EXPECT_EQ(parts.row_counts, whole.row_counts);
  EXPECT_EQ(parts.row_moments, whole.row_moments);
}

}  // namespace
}  // namespace sparsescope::kernels
