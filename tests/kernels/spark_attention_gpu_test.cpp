// SPaRK's attention and its gradients on a GPU against the fp64 reference. Needs a GPU, skips itself without
// one.
#include "tests/kernels/gpu_test.h"
#include "tests/kernels/spark_golden.h"
#include "tests/kernels/spark_run.h"

namespace sparsescope::kernels {
namespace {

class SparkAttentionKernel : public GpuTest {};

SparkDecision decision_of(const SparkRun& run, SparkScoresShape shape) {
  SparkDecision decision(shape);
  decision.direct = run.direct.fetch();
  decision.scope = run.scope.fetch();
  return decision;
}

double norm(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += double(value) * value;
  return std::sqrt(sum);
}

// Relative L2 distance at most `relative`; `floor` (root mean square) stands for gradients that cancel
// exactly.
void expect_near(const std::vector<float>& got, const std::vector<float>& wanted, double relative,
                 double floor, const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  std::vector<float> difference(got.size());
  for (std::size_t i = 0; i < got.size(); ++i) difference[i] = got[i] - wanted[i];
  EXPECT_LE(norm(difference), relative * norm(wanted) + floor * std::sqrt(double(got.size())))
      << what << ", relative " << norm(difference) / norm(wanted);
  // The worst element: the error of the whole array in one place would be sqrt(n) times this.
  const double deviation = norm(wanted) / std::sqrt(double(got.size()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double allowed = 8 * relative * (std::abs(wanted[i]) + deviation) + 8 * floor;
    ASSERT_LE(std::abs(difference[i]), allowed)
        << what << ", element " << i << " is " << got[i] << " instead of " << wanted[i];
  }
}

// Weights, soft gates, dS and the factors of every product are rounded to bf16 (2^-9 of their value, 1.1e-3
// in root mean square); outputs are one product and one rounding away from fp64, gradients two or three. What
// the rounding of the saved output does to sum w dw has no such bound: where one key holds nearly all weight
// it is as large as what remains of dw - sum w dw. So the reference reads the saved output, too; that it is
// near the exact one is tested by itself.
constexpr double kOutput = 3e-3, kGradient = 8e-3, kFloor = 2e-6;

void expect_attention(const SparkSetting& setting, std::uint32_t seed) {
  const std::string what = setting.name();
  SCOPED_TRACE(what);
  const SparkCase made = make_spark_case(setting, seed);
  SparkRun run(made);
  const TestStream stream;
  run.run(stream);
  stream.wait();
  const bool is_surrogate = setting.estimator == SparkEstimator::Surrogate;
  const std::vector<float> output = widened(run.output.fetch()),
                           soft_output = widened(run.soft_output.fetch());
  const SparkExpected wanted =
      expect_spark(made, decision_of(run, made.scores_shape()), is_surrogate ? soft_output : output);

  expect_near(output, wanted.output, kOutput, kFloor, "output");
  expect_near(run.lse_hard.fetch(), wanted.lse_hard, 1e-5, 1e-5, "lse_hard");
  if (is_surrogate) {
    expect_near(soft_output, wanted.soft_output, kOutput, kFloor, "soft_output");
    expect_near(run.lse_soft.fetch(), wanted.lse_soft, 3e-3, 1e-5, "lse_soft");
  }
  expect_near(run.gradient(0), wanted.d_queries, kGradient, kFloor, "d_queries");
  expect_near(run.gradient(1), wanted.d_keys, kGradient, kFloor, "d_keys");
  expect_near(run.gradient(2), wanted.d_values, kGradient, kFloor, "d_values");
  expect_near(run.d_address_rows.fetch(), wanted.d_address_rows, kGradient, kFloor, "d_address_rows");
  expect_near(run.d_declarations.fetch(), wanted.d_declarations, kGradient, kFloor, "d_declarations");
  expect_near(widened(run.d_declarations_bf16.fetch()), run.d_declarations.fetch(), 3e-3, 0,
              "bf16 declarations");
  const std::vector<double> mass = run.mass.fetch();
  const double pairs = double(setting.batch * setting.tokens * setting.tokens);
  EXPECT_NEAR(mass[0], wanted.mass[0], kGradient * wanted.mass[0] + kFloor * pairs);
  EXPECT_NEAR(mass[1], wanted.mass[1], kGradient * wanted.mass[0] + kFloor * pairs);
  // Terms of either sign: their errors add up like their sizes at worst.
  EXPECT_NEAR(run.d_theta.fetch()[0], wanted.d_theta,
              kGradient * std::abs(wanted.d_theta) + 1e-3 * wanted.mass[0] + kFloor * pairs);
}

// Seed chooses what is not named.
SparkSetting setting_of(std::int64_t tokens, SparkEstimator estimator, SparkGatePairs pairs, float theta,
                        std::uint32_t seed) {
  const std::int64_t ranks[] = {64, 32, 2}, windows[] = {1, 16, 32};
  SparkSetting setting;
  setting.tokens = tokens;
  setting.batch = tokens > 500 ? 1 : tokens > 200 ? 2 : 3;
  setting.heads = tokens > 500 ? 1 : 1 + seed % 3;
  setting.head_width = seed % 2 == 0 ? 32 : 64;
  setting.rank = ranks[seed % 3];
  setting.scope = {seed / 2 % 2 == 0, seed / 3 % 3 != 0, windows[seed / 2 % 3]};
  setting.theta = theta;
  setting.weight = seed % 4 == 1 ? 0.1f : 0;
  setting.has_slopes = seed % 5 == 2;
  setting.type = seed % 7 == 3 ? DeclarationType::Bfloat : DeclarationType::Float;
  setting.estimator = estimator;
  setting.gate_pairs = pairs;
  return setting;
}

void sweep(SparkEstimator estimator, SparkGatePairs pairs, std::uint32_t seed) {
  for (const std::int64_t tokens : {1, 6, 33, 64, 129, 256, 300}) {
    for (const float theta : {-100.0f, 0.0f, 1.0f, 2.5f, 100.0f}) {
      expect_attention(setting_of(tokens, estimator, pairs, theta, seed), seed);
      ++seed;
    }
  }
}

TEST_F(SparkAttentionKernel, AgreesWithTheReferenceOnSurrogate) {
  sweep(SparkEstimator::Surrogate, SparkGatePairs::All, 100);
}
TEST_F(SparkAttentionKernel, AgreesWithTheReferenceOnInScopeWithAllPairsGated) {
  sweep(SparkEstimator::InScope, SparkGatePairs::All, 200);
}
TEST_F(SparkAttentionKernel, AgreesWithTheReferenceOnInScopeWithDirectPairsGated) {
  sweep(SparkEstimator::InScope, SparkGatePairs::Direct, 300);
}
TEST_F(SparkAttentionKernel, AgreesWithTheReferenceOnLongSequences) {
  expect_attention(setting_of(1024, SparkEstimator::Surrogate, SparkGatePairs::All, 1.5f, 4), 4);
  expect_attention(setting_of(1024, SparkEstimator::InScope, SparkGatePairs::All, 2.0f, 5), 5);
  expect_attention(setting_of(1024, SparkEstimator::InScope, SparkGatePairs::Direct, 100.0f, 9), 6);
}

// An empty scope but for self: in_scope has nothing to learn, and every tile off the diagonal is skipped.
TEST_F(SparkAttentionKernel, ATokenAloneReturnsItsValue) {
  SparkSetting setting = setting_of(129, SparkEstimator::InScope, SparkGatePairs::All, 100, 6);
  setting.scope.fallback = false;
  const SparkCase made = make_spark_case(setting, 8);
  SparkRun run(made);
  const TestStream stream;
  run.run(stream);
  stream.wait();
  const std::vector<float> output = widened(run.output.fetch());
  for (std::int64_t b = 0, place = 0; b < setting.batch; ++b)
    for (std::int64_t t = 0; t < setting.tokens; ++t)
      for (std::int64_t h = 0; h < setting.heads; ++h)
        for (std::int64_t i = 0; i < setting.head_width; ++i, ++place)
          ASSERT_EQ(output[place], float(made.qkv_value(b, t, 2, h, i)));
}

TEST_F(SparkAttentionKernel, GivesTheSameBitsEveryTimeAndInAGraph) {
  for (const SparkEstimator estimator : {SparkEstimator::Surrogate, SparkEstimator::InScope}) {
    SparkSetting setting = setting_of(300, estimator, SparkGatePairs::All, 1, 6);
    setting.weight = 0.1f;
    const SparkCase made = make_spark_case(setting, 21);
    SparkRun first(made);
    TestStream stream;
    first.run(stream);
    stream.wait();
    SparkRun again(made);
    const TestGraph graph(stream, 1, [&](Stream captured, int) { again.run(captured); });
    for (int repetition = 0; repetition < 3; ++repetition) {
      again.d_theta.set({0});
      graph.replay();
      stream.wait();
      EXPECT_EQ(widened(again.output.fetch()), widened(first.output.fetch()));
      EXPECT_EQ(widened(again.d_qkv.fetch()), widened(first.d_qkv.fetch()));
      EXPECT_EQ(again.d_address_rows.fetch(), first.d_address_rows.fetch());
      EXPECT_EQ(again.d_declarations.fetch(), first.d_declarations.fetch());
      EXPECT_EQ(again.d_theta.fetch(), first.d_theta.fetch());
      EXPECT_EQ(again.mass.fetch(), first.mass.fetch());
    }
  }
}

TEST_F(SparkAttentionKernel, WhatComesLaterChangesNothingBefore) {
  constexpr std::int64_t kChanged = 150;
  for (const SparkEstimator estimator : {SparkEstimator::Surrogate, SparkEstimator::InScope}) {
    SparkSetting setting = setting_of(300, estimator, SparkGatePairs::All, 1, 4);
    setting.batch = 1;
    const SparkCase made = make_spark_case(setting, 31), other = make_spark_case(setting, 32);
    SparkCase mixed = other;
    const std::int64_t width = setting.heads * setting.head_width;
    mixed.addresses = made.addresses;
    std::copy_n(made.qkv.begin(), kChanged * 3 * width, mixed.qkv.begin());
    std::copy_n(made.declarations.begin(), kChanged * setting.rank, mixed.declarations.begin());
    std::copy_n(made.ids.begin(), kChanged, mixed.ids.begin());
    SparkRun before(made), after(mixed);
    const TestStream stream;
    before.run(stream);
    after.run(stream);
    stream.wait();
    const auto head = [&](const DeviceArray<Bfloat16>& array) {
      std::vector<float> values = widened(array.fetch());
      values.resize(kChanged * width);
      return values;
    };
    EXPECT_EQ(head(before.output), head(after.output));
    if (estimator == SparkEstimator::Surrogate) {
      EXPECT_EQ(head(before.soft_output), head(after.soft_output));
    }
    std::vector<std::uint32_t> scope = before.scope.fetch(), later = after.scope.fetch();
    scope.resize(kChanged * scope_words(300)), later.resize(kChanged * scope_words(300));
    EXPECT_EQ(scope, later);
  }
}

// The golden case, its two values a head padded with zeros to 32. Figures lose to bf16 what 2^-9 of the
// inputs' rounding makes of them.
TEST_F(SparkAttentionKernel, GivesTheGoldenFigures) {
  SparkGolden golden;
  SparkSetting setting;
  setting.tokens = 6, setting.rank = 2, setting.vocabulary = 4, setting.scope = golden.rule;
  setting.theta = 0.6f;
  SparkCase made = make_spark_case(setting, 1);
  const float factor = std::sqrt(16.0f);  // the kernel divides by sqrt 32 instead of sqrt 2
  std::vector<float> qkv(6 * 3 * 32), d_output(6 * 32);
  for (int t = 0; t < 6; ++t) {
    for (int i = 0; i < 2; ++i) {
      qkv[(t * 3 + 0) * 32 + i] = float(golden.queries[t * 2 + i]) * factor;
      qkv[(t * 3 + 1) * 32 + i] = float(golden.keys[t * 2 + i]);
      qkv[(t * 3 + 2) * 32 + i] = float(golden.values[t * 2 + i]);
      d_output[t * 32 + i] = float(golden.upstream[t * 2 + i]);
    }
  }
  made.qkv = rounded(qkv), made.d_output = rounded(d_output);
  made.addresses.assign(golden.table.begin(), golden.table.end());
  made.declarations.assign(golden.declarations.begin(), golden.declarations.end());
  made.ids = {0, 1, 2, 1, 0, 3, 0};
  SparkRun run(made);
  const TestStream stream;
  run.run(stream);
  stream.wait();
  EXPECT_EQ(run.direct.fetch(), (std::vector<std::uint32_t>{0, 1, 1, 5, 2, 0}));
  EXPECT_EQ(run.scope.fetch(), (std::vector<std::uint32_t>{1, 3, 5, 13, 19, 48}));
  const std::vector<float> y = widened(run.output.fetch());
  EXPECT_NEAR(y[4 * 32], .46683757, 4e-3);
  EXPECT_NEAR(y[5 * 32 + 1], .39402996, 4e-3);
  EXPECT_NEAR(run.d_theta.fetch()[0], .14683309, 4e-3);
  const std::vector<float> d_keys = run.gradient(1), d_values = run.gradient(2);
  EXPECT_NEAR(d_keys[0], .43101421, 4e-3);
  EXPECT_NEAR(d_keys[1], .58087843, 4e-3);
  EXPECT_NEAR(d_values[0], 2.4626855, 1e-2);
  const std::vector<float> d_z = run.d_declarations.fetch(), d_u = run.d_address_rows.fetch();
  EXPECT_NEAR(d_z[2], -.08074475, 4e-3);
  EXPECT_NEAR(d_z[3], .0142092, 4e-3);
  EXPECT_NEAR(d_u[0] + d_u[8], -.43334618, 4e-3);
}

TEST_F(SparkAttentionKernel, RefusesHeadsItHasNoKernelFor) {
  SparkSetting setting;
  setting.head_width = 48;
  const SparkCase made = make_spark_case(setting, 1);
  SparkRun run(made);
  const TestStream stream;
  EXPECT_THROW(run.forward(stream), std::runtime_error);
}

}  // namespace
}  // namespace sparsescope::kernels
