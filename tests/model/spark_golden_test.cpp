// A worked example of SPaRK in fp64, every number of it: scores, scope, outputs and the gradients of both
// estimators. Recipe: T = 6, r = 2, head width 2, one head, kappa 1, W 2, theta 0.6, tau 0.5, inheritance and
// fallback on; the numbers were computed by an independent fp64 program and confirmed by finite differences.
#include "tests/model/model_support.h"
#include "tests/model/spark_oracle.h"

namespace sparsescope::model {
namespace {

constexpr double kPrinted = 6e-9;  // eight printed decimals
const double kScale = 1 / std::sqrt(2.0);
const double kTau = 0.5;

at::Tensor matrix(std::vector<double> values, std::int64_t columns = 2) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble)).view({-1, columns});
}
at::Tensor leaf(at::Tensor value) { return value.clone().set_requires_grad(true); }

struct Example {
  at::Tensor ids = at::tensor({0, 1, 2, 1, 0, 3}, at::TensorOptions().dtype(at::kLong));
  at::Tensor addresses = leaf(matrix({1, 0, 0, 1, 1, 1, -1, -1}));
  at::Tensor z = leaf(matrix({.5, 1.5, 1.2, -.4, -.3, .9, .8, .8, 2, -1, .1, .2}));
  at::Tensor q = leaf(matrix({.2, .4, 1, -.5, -.6, .3, .7, .9, -.2, 1.1, .5, .5}));
  at::Tensor k = leaf(matrix({.3, -.2, .8, .1, -.5, .6, .4, .4, 1, -1, .2, .9}));
  at::Tensor v = leaf(matrix({1, 0, 0, 1, 1, 1, -1, 2, .5, -.5, 2, 1}));
  at::Tensor theta = leaf(at::scalar_tensor(0.6, at::TensorOptions().dtype(at::kDouble)));
  at::Tensor scores =
      at::matmul(addresses.index_select(0, ids), z.t()).div(std::sqrt(2.0)).unsqueeze(0);  // [1,T,T]
  kernels::ScopeRule rule{true, true, 2};

  SparkAttentionInput input() const {
    const auto heads = [](const at::Tensor& x) { return x.view({1, 1, 6, 2}); };
    return {heads(q), heads(k), heads(v), {}, scores, theta, decide(scores, theta, rule)};
  }
};

void expect_row(const at::Tensor& got, std::vector<double> wanted, const char* what,
                double tolerance = kPrinted) {
  EXPECT_LT(largest_difference(got.detach().flatten(), matrix(wanted, 1).flatten()), tolerance)
      << what << " is\n"
      << got;
}

at::Tensor loss_of(const at::Tensor& output) { return (output.select(-1, 0) - output.select(-1, 1)).sum(); }

TEST(SparkExample, HasTheScoresAndTheScope) {
  const Example example;
  expect_row(example.scores[0][1], {1.06066, -.282843, .636396, .565685, -.707107, .141421}, "S of row 1",
             6e-7);
  const at::Tensor reasons = example.input().reasons[0];
  const std::vector<std::vector<int>> wanted = {{8, 0, 0, 0, 0, 0}, {1, 8, 0, 0, 0, 0}, {1, 0, 8, 0, 0, 0},
                                                {3, 0, 1, 8, 0, 0}, {2, 1, 0, 0, 8, 0}, {0, 0, 0, 0, 4, 8}};
  for (int t = 0; t < 6; ++t) {
    for (int p = 0; p < 6; ++p) EXPECT_EQ(reasons[t][p].item<int>(), wanted[t][p]) << t << " <- " << p;
  }
}

TEST(SparkExample, CountsItsPairsByReason) {
  const Example example;
  const auto scope = kernels::spark_scope(example.scores.detach().to(at::kFloat),
                                          example.theta.detach().to(at::kFloat), example.rule);
  const at::Tensor counts = scope.row_counts[0].sum(0);
  EXPECT_EQ(counts[kernels::kCountDirect].item<int>(), 5);
  EXPECT_EQ(counts[kernels::kCountInherited].item<int>(), 1);
  EXPECT_EQ(counts[kernels::kCountFallback].item<int>(), 1);
  EXPECT_EQ(counts[kernels::kCountEmpty].item<int>(), 2);
}

TEST(SparkExample, HasTheOutputsAndTheWeights) {
  const Example example;
  const SparkAttentionInput input = example.input();
  const SparkAttention attention =
      spark_attention(input, {Estimator::Surrogate, GatePairs::All, kTau, kScale});
  expect_row(attention.output,
             {1, 0, .43844204, .56155796, 1, .62459943, .15863863, 1.1473892, .46683757, .3505901, 1.39402996,
              .39402996},
             "y");
  expect_row(attention.weights[0][0][4], {.3755514, .44187627, 0, 0, .18257233, 0}, "w_h of row 4");
  expect_row(soft_weights(input, kScale, kTau)[0][0][4],
             {.30117284, .22033068, .10343522, .22864767, .14641359, 0}, "w_s of row 4");
}

TEST(SparkExample, HasTheGradientsOfTheSurrogate) {
  Example example;
  example.scores.retain_grad();
  loss_of(spark_attention(example.input(), {Estimator::Surrogate, GatePairs::All, kTau, kScale}).output)
      .backward();
  const at::Tensor ds = example.scores.grad()[0];
  expect_row(ds[3], {.31248293, .0440632, .24635386, 0, 0, 0}, "dS of row 3");
  expect_row(ds[4], {0, -.09022197, .07926846, -.60099643, 0, 0}, "dS of row 4");
  expect_row(ds[5], {.00242068, -.14491492, -.06131301, -.10745155, 0, 0}, "dS of row 5");
  expect_row(example.theta.grad(), {.14683309}, "dtheta");
  expect_row(example.q.grad()[4], {-.0043811, -.36580137}, "dq of token 4");
  expect_row(example.k.grad()[0], {.43101421, .58087843}, "dk of token 0");
  expect_row(example.v.grad()[0], {2.4626855, -2.4626855}, "dv of token 0", 6e-8);
  expect_row(example.z.grad()[1], {-.08074475, .0142092}, "dz of token 1");
  expect_row(example.addresses.grad()[0], {-.43334618, -.26401015}, "dU of id 0");
}

TEST(SparkExample, HasTheGradientsOfInScopeForBothChoicesOfPairs) {
  Example all, direct;
  loss_of(spark_attention(all.input(), {Estimator::InScope, GatePairs::All, kTau, kScale}).output).backward();
  expect_row(all.theta.grad(), {.05325015}, "dtheta over all pairs in scope");
  direct.scores.retain_grad();
  loss_of(spark_attention(direct.input(), {Estimator::InScope, GatePairs::Direct, kTau, kScale}).output)
      .backward();
  expect_row(direct.theta.grad(), {-.40532291}, "dtheta over direct pairs");
  expect_row(direct.scores.grad()[0][3], {.22136143, 0, .15109236, 0, 0, 0}, "dS of row 3");
}

}  // namespace
}  // namespace sparsescope::model
