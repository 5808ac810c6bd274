// The estimators' hand-written backward against central differences (fp64) of what each of them pretends to
// differentiate.
#include <functional>

#include "tests/model/model_support.h"
#include "tests/model/spark_oracle.h"

namespace sparsescope::model {
namespace {

constexpr double kScale = 0.6, kTau = 0.5, kStep = 1e-5;

struct Case {
  SparkAttentionInput in;
  at::Tensor upstream;  // [B,H,T,D]
};

Case make_case(bool inheritance, bool with_bias, std::uint64_t seed) {
  const std::int64_t batch = 2, heads = 3, tokens = 9, width = 4;
  const auto leaf = [&](const char* name, at::IntArrayRef shape) {
    return draw_normal(seed, name, shape, 1).set_requires_grad(true);
  };
  Case made;
  made.in.queries = leaf("q", {batch, heads, tokens, width});
  made.in.keys = leaf("k", {batch, heads, tokens, width});
  made.in.values = leaf("v", {batch, heads, tokens, width});
  made.in.scores = leaf("s", {batch, tokens, tokens});
  made.in.theta = at::scalar_tensor(0.7, at::TensorOptions().dtype(at::kDouble)).set_requires_grad(true);
  if (with_bias) made.in.bias = draw_normal(seed, "bias", {heads, tokens, tokens}, 1);
  made.in.reasons = decide(made.in.scores, made.in.theta, {inheritance, true, 3});
  made.upstream = draw_normal(seed, "upstream", {batch, heads, tokens, width}, 1);
  return made;
}

// Central differences of `objective` in every element of `at_tensor`, which it reads.
at::Tensor differences(const std::function<double()>& objective, at::Tensor at_tensor) {
  const c10::NoGradGuard no_graph;
  at::Tensor slope = at::zeros_like(at_tensor);
  double* values = at_tensor.data_ptr<double>();
  for (std::int64_t i = 0; i < at_tensor.numel(); ++i) {
    const double kept = values[i];
    values[i] = kept + kStep;
    const double up = objective();
    values[i] = kept - kStep;
    const double down = objective();
    values[i] = kept;
    slope.data_ptr<double>()[i] = (up - down) / (2 * kStep);
  }
  return slope;
}

double weighted_sum(const Case& made, const at::Tensor& weights) {
  return (at::matmul(weights, made.in.values) * made.upstream).sum().item<double>();
}

void run_backward(const Case& made, const SparkAttentionRule& rule) {
  (spark_attention(made.in, rule).output * made.upstream).sum().backward();
}

TEST(SparkGradient, SurrogateIsTheSoftObjectiveExceptForTheValues) {
  for (const bool inheritance : {false, true}) {
    for (const bool with_bias : {false, true}) {
      const Case made = make_case(inheritance, with_bias, 1 + inheritance);
      run_backward(made, {Estimator::Surrogate, GatePairs::All, kTau, kScale});
      const auto soft = [&] { return weighted_sum(made, soft_weights(made.in, kScale, kTau)); };
      const auto hard = [&] { return weighted_sum(made, hard_weights(made.in, kScale)); };
      EXPECT_LT(largest_difference(made.in.queries.grad(), differences(soft, made.in.queries)), 1e-8);
      EXPECT_LT(largest_difference(made.in.keys.grad(), differences(soft, made.in.keys)), 1e-8);
      EXPECT_LT(largest_difference(made.in.scores.grad(), differences(soft, made.in.scores)), 1e-8);
      EXPECT_LT(largest_difference(made.in.theta.grad(), differences(soft, made.in.theta)), 1e-7);
      EXPECT_LT(largest_difference(made.in.values.grad(), differences(hard, made.in.values)), 1e-8);
      EXPECT_GT(largest_difference(made.in.values.grad(), differences(soft, made.in.values)), 1e-2);
    }
  }
}

TEST(SparkGradient, InScopeIsItsRelaxedObjectiveForBothChoicesOfPairs) {
  for (const GatePairs pairs : {GatePairs::All, GatePairs::Direct}) {
    for (const bool with_bias : {false, true}) {
      const Case made = make_case(true, with_bias, 5);
      run_backward(made, {Estimator::InScope, pairs, kTau, kScale});
      const at::Tensor fixed_gate = at::sigmoid((made.in.scores - made.in.theta) / kTau).detach().clone();
      const auto relaxed = [&] {
        return weighted_sum(made, relaxed_weights(made.in, kScale, kTau, pairs, fixed_gate));
      };
      for (const at::Tensor& input :
           {made.in.queries, made.in.keys, made.in.values, made.in.scores, made.in.theta}) {
        EXPECT_LT(largest_difference(input.grad(), differences(relaxed, input)), 1e-7);
      }
    }
  }
}

TEST(SparkGradient, BothEstimatorsGoForwardWithTheSameBits) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    ModelConfig surrogate = small_config(), in_scope = small_config();
    in_scope.spark.estimator = Estimator::InScope;
    const LanguageModel a(surrogate, kVocabulary, at::kCPU, dtype, 1),
        b(in_scope, kVocabulary, at::kCPU, dtype, 1);
    EXPECT_TRUE(a.forward(random_ids(2, 23)).logits.equal(b.forward(random_ids(2, 23)).logits));
  }
}

TEST(SparkGradient, OnlyTheSurrogateReachesPairsOutOfScope) {
  for (const GatePairs pairs : {GatePairs::All, GatePairs::Direct}) {
    const Case made = make_case(true, false, 7);
    run_backward(made, {Estimator::InScope, pairs, kTau, kScale});
    EXPECT_TRUE(made.in.scores.grad().masked_select(made.in.reasons.eq(0)).eq(0).all().item<bool>());
    EXPECT_GT(made.in.scores.grad().abs().sum().item<double>(), 0.01);
  }
  const Case made = make_case(true, false, 7);
  run_backward(made, {Estimator::Surrogate, GatePairs::All, kTau, kScale});
  const at::Tensor out_of_scope = made.in.reasons.eq(0).tril(-1);
  EXPECT_TRUE(made.in.scores.grad().masked_select(out_of_scope).ne(0).all().item<bool>());
  EXPECT_TRUE(made.in.scores.grad().triu().eq(0).all().item<bool>());
}

TEST(SparkGradient, StaysFiniteWhenScoresAreFarFromTheThreshold) {
  for (const Estimator estimator : {Estimator::Surrogate, Estimator::InScope}) {
    for (const double theta : {-1e4, 1e4}) {
      Case made = make_case(false, false, 3);
      made.in.theta.detach().fill_(theta);
      made.in.reasons = decide(made.in.scores, made.in.theta, {false, true, 3});
      run_backward(made, {estimator, GatePairs::All, kTau, kScale});
      for (const at::Tensor& input :
           {made.in.queries, made.in.keys, made.in.values, made.in.scores, made.in.theta}) {
        EXPECT_TRUE(input.grad().isfinite().all().item<bool>()) << theta;
      }
    }
  }
}

TEST(SparkGradient, ALargeGapBetweenLogitsOutAndInScopeDoesNotBlowUpTheThreshold) {
  for (const Estimator estimator : {Estimator::Surrogate, Estimator::InScope}) {
    Case made = make_case(false, false, 3);
    made.in.keys.detach().select(2, 0).mul_(40);  // one key with logits far above the others
    run_backward(made, {estimator, GatePairs::All, kTau, kScale});
    EXPECT_LT(std::abs(made.in.theta.grad().item<double>()), 100);
  }
}

}  // namespace
}  // namespace sparsescope::model
