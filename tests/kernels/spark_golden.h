// The golden case of SPaRK's estimators: six tokens, one head of two values, scores of rank two. The decision
// is taken by the reference from fp32 scores.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/spark_attention/spark_attention.h"

namespace sparsescope::kernels {

struct SparkGolden {
  static constexpr std::int64_t kTokens = 6;
  std::vector<std::int64_t> ids = {0, 1, 2, 1, 0, 3};
  std::vector<double> table = {1, 0, 0, 1, 1, 1, -1, -1};  // U [4,2]
  std::vector<double> declarations = {.5, 1.5, 1.2, -.4, -.3, .9, .8, .8, 2, -1, .1, .2};
  std::vector<double> queries = {.2, .4, 1, -.5, -.6, .3, .7, .9, -.2, 1.1, .5, .5};
  std::vector<double> keys = {.3, -.2, .8, .1, -.5, .6, .4, .4, 1, -1, .2, .9};
  std::vector<double> values = {1, 0, 0, 1, 1, 1, -1, 2, .5, -.5, 2, 1};
  std::vector<double> upstream = {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1};  // of sum y[0] - y[1]
  double theta = .6, penalty = 0;
  const double* saved_output = nullptr;  // [6,2]
  ScopeRule rule{true, true, 2};

  std::vector<std::uint8_t> reasons = std::vector<std::uint8_t>(36);
  std::vector<double> addresses, output, soft_output, lse_hard, lse_soft, hard, soft, d_queries, d_keys,
      d_values, d_scores, d_addresses, d_declarations;
  double d_theta = 0, mass[2] = {};

  SparkGolden() {
    for (const std::int64_t id : ids) addresses.insert(addresses.end(), {table[id * 2], table[id * 2 + 1]});
    const std::vector<float> z(declarations.begin(), declarations.end()), u(table.begin(), table.end());
    std::vector<float> scores(36);
    SparkScoresInput input;
    input.declarations = z.data();
    input.addresses = u.data();
    input.ids = {ids.data(), 1, kTokens, kTokens};
    spark_scores_reference(input, {1, kTokens, 2}, {rule, 1, .5f}, scores.data());
    std::vector<std::int32_t> counts(kTokens * kScopeCounts);
    std::vector<double> moments(kTokens * 2);
    const float threshold = float(theta);
    spark_scope_reference(scores.data(), &threshold, {1, kTokens}, rule,
                          {reasons.data(), counts.data(), moments.data()}, 0, 1);
    for (auto* array : {&output, &soft_output, &d_queries, &d_keys, &d_values, &d_addresses, &d_declarations})
      array->resize(12);
    for (auto* array : {&lse_hard, &lse_soft}) array->resize(6);
    for (auto* array : {&hard, &soft, &d_scores}) array->resize(36);
  }

  double score(int query, int key) const {
    return (addresses[query * 2] * declarations[key * 2] +
            addresses[query * 2 + 1] * declarations[key * 2 + 1]) /
           std::sqrt(2.0);
  }

  void run(SparkEstimator estimator, SparkGatePairs pairs) {
    SparkAttentionCase input;
    input.tokens = kTokens, input.heads = 1, input.head_width = 2, input.rank = 2;
    input.queries = queries.data(), input.keys = keys.data(), input.values = values.data();
    input.addresses = addresses.data(), input.declarations = declarations.data();
    input.reasons = reasons.data(), input.d_output = upstream.data();
    input.saved_output = saved_output;
    input.theta = theta, input.scale = 1 / std::sqrt(2.0), input.penalty = penalty;
    input.estimator = estimator, input.gate_pairs = pairs;
    spark_attention_reference(
        input, {output.data(), soft_output.data(), lse_hard.data(), lse_soft.data(), hard.data(), soft.data(),
                d_queries.data(), d_keys.data(), d_values.data(), d_scores.data(), d_addresses.data(),
                d_declarations.data(), &d_theta, mass});
  }
};

}  // namespace sparsescope::kernels
