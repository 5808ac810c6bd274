// SPaRK's scores and decision on a GPU against the host. Needs a GPU, skips itself without one.
#include "kernels/common/tolerance.h"
#include "tests/kernels/gpu_test.h"
#include "tests/kernels/spark_run.h"

namespace sparsescope::kernels {
namespace {

class SparkScoresKernel : public GpuTest {};

SparkSetting setting_of(std::int64_t batch, std::int64_t tokens, std::int64_t rank, float theta,
                        ScopeRule rule, DeclarationType type = DeclarationType::Float) {
  SparkSetting setting;
  setting.batch = batch, setting.tokens = tokens, setting.rank = rank, setting.theta = theta;
  setting.scope = rule, setting.type = type;
  return setting;
}

// Log gates of pairs p <= t, row after row.
std::vector<float> in_order(const std::vector<Bfloat16>& plane, std::int64_t batch, std::int64_t tokens) {
  std::vector<float> values;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t query = 0; query < tokens; ++query)
      for (std::int64_t key = 0; key <= query; ++key)
        values.push_back(float_from_bfloat16(
            plane[pair_tile_offset(b, pair_tiles(tokens), query / kPairTile, key / kPairTile) +
                  pair_place(int(query % kPairTile), int(key % kPairTile))]));
  return values;
}

void expect_decision(const SparkSetting& setting, std::uint32_t seed) {
  const std::string what = setting.name();
  const SparkCase made = make_spark_case(setting, seed);
  SparkRun run(made, ScoresWanted::Yes);
  const TestStream stream;
  run.decide(stream);
  stream.wait();

  // The scores are the host's, bit for bit.
  const std::vector<float> scores = run.scores.fetch();
  std::vector<float> wanted_scores(scores.size());
  SparkScoresInput host;
  host.declarations = made.declarations.data();
  host.addresses = made.addresses.data();
  host.ids = made.token_ids(made.ids.data());
  spark_scores_reference(host, made.scores_shape(), made.scores_rule(), wanted_scores.data());
  EXPECT_EQ(scores, wanted_scores) << what;

  // The decision is that of the kernel's own scores.
  SparkDecision wanted(made.scores_shape());
  spark_decision_reference(scores.data(), made.theta, made.scores_shape(), made.scores_rule(),
                           wanted.pointers());
  EXPECT_EQ(run.direct.fetch(), wanted.direct) << what;
  EXPECT_EQ(run.scope.fetch(), wanted.scope) << what;
  EXPECT_EQ(run.row_counts.fetch(), wanted.row_counts) << what;
  // Sums of T terms in another order; gates are made with fast fp32 functions and added by lanes in fp32.
  const double tokens = double(setting.tokens);
  EXPECT_EQ(first_outside(run.row_moments.fetch(), wanted.row_moments, {1e-9, kEpsilonF64, tokens}), "")
      << what;
  EXPECT_EQ(first_outside(run.row_gates.fetch(), wanted.row_gates, {1e-6, kEpsilonF32, 16}), "") << what;

  std::vector<float> wanted_gates;
  for (std::int64_t row = 0; row < setting.batch * setting.tokens; ++row) {
    for (std::int64_t key = 0; key <= row % setting.tokens; ++key) {
      const double x = (double(scores[row * setting.tokens + key]) - made.theta) / made.tau;
      wanted_gates.push_back(float(std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x)))));
    }
  }
  const std::vector<Bfloat16> plane = run.log_gates.fetch();
  EXPECT_EQ(
      first_outside(in_order(plane, setting.batch, setting.tokens), wanted_gates, {1e-6, kEpsilonBf16, 1.01}),
      "")
      << what;

  // The planes made alone, and without scores, hold the same bits.
  DeviceArray<Bfloat16> alone(plane.size());
  spark_log_gates(run.scores_input(), made.scores_shape(), made.scores_rule(), alone.get(), stream);
  stream.wait();
  EXPECT_EQ(widened(alone.fetch()), widened(plane)) << what;
  SparkRun again(made);
  again.decide(stream);
  stream.wait();
  EXPECT_EQ(again.scope.fetch(), wanted.scope) << what;
  EXPECT_EQ(again.row_moments.fetch(), run.row_moments.fetch()) << what;
  EXPECT_EQ(widened(again.log_gates.fetch()), widened(plane)) << what;
}

TEST_F(SparkScoresKernel, DecidesFromItsOwnScoresLikeTheHost) {
  std::uint32_t seed = 1;
  for (const std::int64_t tokens : {1, 2, 6, 31, 32, 33, 64, 65, 129, 256, 300}) {
    for (const float theta : {-100.0f, 0.0f, 1.5f, 100.0f}) {
      const std::int64_t ranks[] = {64, 32, 2, 65, 20}, windows[] = {1, 16, 32};
      const ScopeRule rule{seed % 2 == 0, seed % 3 != 0, windows[seed % 3]};
      expect_decision(setting_of(3, tokens, ranks[seed % 5], theta, rule,
                                 seed % 4 == 0 ? DeclarationType::Bfloat : DeclarationType::Float),
                      seed);
      ++seed;
    }
  }
}

TEST_F(SparkScoresKernel, DecidesLongSequences) {
  expect_decision(setting_of(2, 1024, 64, 1.0f, {true, true, 32}), 91);
  expect_decision(setting_of(1, 1500, 64, 2.5f, {true, false, 1}), 92);
  expect_decision(setting_of(1, 2100, 32, 2.0f, {false, true, 32}), 93);
}

TEST_F(SparkScoresKernel, CountsScoresThatAreNotFinite) {
  SparkCase made = make_spark_case(setting_of(1, 70, 16, 1, {true, true, 8}), 5);
  made.declarations[40 * 16] = std::numeric_limits<float>::quiet_NaN();
  SparkRun run(made, ScoresWanted::Yes);
  const TestStream stream;
  run.decide(stream);
  stream.wait();
  SparkDecision wanted(made.scores_shape());
  spark_decision_reference(run.scores.fetch().data(), made.theta, made.scores_shape(), made.scores_rule(),
                           wanted.pointers());
  EXPECT_EQ(run.scope.fetch(), wanted.scope);
  EXPECT_EQ(run.row_counts.fetch(), wanted.row_counts);
  EXPECT_EQ(run.row_counts.fetch()[69 * kScopeCounts + kCountNonFinite], 1);
}

TEST_F(SparkScoresKernel, TellsReasonsFromTheBitsets) {
  const SparkCase made = make_spark_case(setting_of(2, 129, 32, 1.5f, {true, true, 16}), 7);
  SparkRun run(made, ScoresWanted::Yes);
  const TestStream stream;
  run.decide(stream);
  DeviceArray<std::uint8_t> reasons(2 * 129 * 129);
  spark_reasons(run.direct.get(), run.scope.get(), made.scores_shape(), reasons.get(), stream);
  stream.wait();
  std::vector<std::uint8_t> wanted(reasons.size());
  std::vector<std::int32_t> counts(2 * 129 * kScopeCounts);
  std::vector<double> moments(2 * 129 * 2);
  spark_scope_reference(run.scores.fetch().data(), &made.theta, {2, 129}, made.setting.scope,
                        {wanted.data(), counts.data(), moments.data()}, 0, 2);
  for (std::uint8_t& reason : wanted)
    if (reason & kDirect) reason = kDirect;
  EXPECT_EQ(reasons.fetch(), wanted);
}

}  // namespace
}  // namespace sparsescope::kernels
