// The estimators' hand-written backward against central differences (fp64) of what each of them pretends to
// differentiate.
#include "tests/model/spark_case.h"

namespace sparsescope::model {
namespace {

constexpr Estimator kAllEstimators[] = {Estimator::Surrogate, Estimator::InScope, Estimator::Soft,
                                        Estimator::PostGate, Estimator::SurrogateSplit};

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

TEST(SparkGradient, SoftIsItsOwnObjectiveWithValuesIncluded) {
  for (const bool with_bias : {false, true}) {
    const Case made = make_case(true, with_bias, 11);
    const SparkAttentionRule rule{Estimator::Soft, GatePairs::All, kTau, kScale};
    run_backward(made, rule);
    const auto soft = [&] { return weighted_sum(made, soft_weights(made.in, kScale, kTau)); };
    EXPECT_NEAR((spark_attention(made.in, rule).output * made.upstream).sum().item<double>(), soft(), 1e-12);
    for (const at::Tensor& input :
         {made.in.queries, made.in.keys, made.in.values, made.in.scores, made.in.theta}) {
      EXPECT_LT(largest_difference(input.grad(), differences(soft, input)), 1e-7);
    }
  }
}

// Dense weights times M + (s - s0) on past pairs; s0 is s held fixed.
TEST(SparkGradient, PostGateIsItsRelaxedObjectiveAndLosesTheMassOutOfScope) {
  const Case made = make_case(true, true, 12);
  const SparkAttentionRule rule{Estimator::PostGate, GatePairs::All, kTau, kScale};
  run_backward(made, rule);
  const at::Tensor fixed = at::sigmoid((made.in.scores - made.in.theta) / kTau).detach().clone();
  const auto relaxed = [&] {
    const at::Tensor dense = at::softmax(logits_of(made.in, kScale) + causal_minus_infinity(9), -1);
    const at::Tensor gate = made.in.reasons.ne(0).to(at::kDouble) +
                            (at::sigmoid((made.in.scores - made.in.theta) / kTau) - fixed).tril(-1);
    return weighted_sum(made, dense * gate.unsqueeze(1));
  };
  for (const at::Tensor& input :
       {made.in.queries, made.in.keys, made.in.values, made.in.scores, made.in.theta}) {
    EXPECT_LT(largest_difference(input.grad(), differences(relaxed, input)), 1e-7);
  }
  const at::Tensor weights = spark_attention(made.in, rule).weights, mass = weights.sum(-1);
  EXPECT_TRUE(weights.ne(0).equal(made.in.reasons.ne(0).unsqueeze(1).expand_as(weights)));
  EXPECT_LT(mass.min().item<double>(), 0.9);
  EXPECT_TRUE(mass.le(1 + 1e-12).all().item<bool>());
}

TEST(SparkGradient, TheSplitSurrogateTakesQueriesAndKeysFromInScopeAndScoresFromTheSurrogate) {
  const Case split = make_case(true, true, 13), surrogate = make_case(true, true, 13),
             in_scope = make_case(true, true, 13);
  run_backward(split, {Estimator::SurrogateSplit, GatePairs::All, kTau, kScale});
  run_backward(surrogate, {Estimator::Surrogate, GatePairs::All, kTau, kScale});
  run_backward(in_scope, {Estimator::InScope, GatePairs::All, kTau, kScale});
  EXPECT_TRUE(split.in.queries.grad().equal(in_scope.in.queries.grad()));
  EXPECT_TRUE(split.in.keys.grad().equal(in_scope.in.keys.grad()));
  EXPECT_TRUE(split.in.values.grad().equal(surrogate.in.values.grad()));
  EXPECT_TRUE(split.in.scores.grad().equal(surrogate.in.scores.grad()));
  EXPECT_TRUE(split.in.theta.grad().equal(surrogate.in.theta.grad()));
  EXPECT_FALSE(surrogate.in.queries.grad().equal(in_scope.in.queries.grad()));
}

TEST(SparkGradient, HardGatesAreTheForwardPassOfTheSurrogate) {
  ModelConfig surrogate = small_config(), soft = small_config();
  soft.spark.estimator = Estimator::Soft;
  const LanguageModel a(surrogate, kVocabulary, at::kCPU, at::kFloat, 1),
      b(soft, kVocabulary, at::kCPU, at::kFloat, 1);
  const at::Tensor ids = random_ids(2, 23), wanted = logits_of(a, ids);
  EXPECT_FALSE(logits_of(b, ids).equal(wanted));
  EXPECT_TRUE(b.forward(ids, {.gates = Gates::Hard}).logits.equal(wanted));
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
  for (const Estimator estimator : kAllEstimators) {
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
  for (const Estimator estimator : kAllEstimators) {
    Case made = make_case(false, false, 3);
    made.in.keys.detach().select(2, 0).mul_(40);  // one key with logits far above the others
    run_backward(made, {estimator, GatePairs::All, kTau, kScale});
    EXPECT_LT(std::abs(made.in.theta.grad().item<double>()), 100);
  }
}

}  // namespace
}  // namespace sparsescope::model
