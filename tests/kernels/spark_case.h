// A case of SPaRK's scores, decision and attention on the host, shared by CPU tests, GPU tests and timing.
#pragma once

#include <string>

#include "kernels/spark_attention/spark_attention.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {

enum class DeclarationType { Float, Bfloat };

struct SparkSetting {
  std::int64_t batch = 1, tokens = 1, heads = 1, head_width = 32, rank = 64, vocabulary = 50;
  ScopeRule scope;
  float theta = 1;  // in standard deviations of the scores
  float weight = 0;
  bool has_slopes = false;
  DeclarationType type = DeclarationType::Float;
  SparkEstimator estimator = SparkEstimator::Surrogate;
  SparkGatePairs gate_pairs = SparkGatePairs::All;

  std::string name() const {
    return "B " + std::to_string(batch) + " T " + std::to_string(tokens) + " H " + std::to_string(heads) +
           " D " + std::to_string(head_width) + " r " + std::to_string(rank) + " theta " +
           std::to_string(theta) + (estimator == SparkEstimator::Surrogate ? " surrogate" : " in_scope") +
           (gate_pairs == SparkGatePairs::All ? "" : " direct") + (scope.inheritance ? " inheritance" : "") +
           (scope.fallback ? " W " + std::to_string(scope.window) : "") + (weight != 0 ? " penalty" : "") +
           (has_slopes ? " ALiBi" : "");
  }
};

// Input arrays as the kernels want them; scores have a standard deviation of one.
struct SparkCase {
  SparkSetting setting;
  std::vector<Bfloat16> qkv, d_output;  // [B,T,3,H,D], [B,T,H,D]
  std::vector<float> slopes, addresses, declarations;
  std::vector<Bfloat16> declarations_bf16;  // `declarations` holds the same values
  std::vector<std::int64_t> ids;            // [B,T+1]
  float theta = 1, weight = 0;
  float kappa = 1, tau = 0.5f;
  std::int64_t layers = 3;

  SparkScoresShape scores_shape() const { return {setting.batch, setting.tokens, setting.rank}; }
  SparkAttentionShape shape() const {
    return {setting.batch, setting.tokens, setting.heads, setting.head_width};
  }
  SparkScoresRule scores_rule() const { return {setting.scope, kappa, tau}; }
  SparkAttentionRule rule() const {
    return {setting.estimator, setting.gate_pairs, 1.0f / std::sqrt(float(setting.head_width))};
  }
  TokenIds token_ids(const std::int64_t* data) const {
    return {data, setting.batch, setting.tokens, setting.tokens + 1};
  }
  // Value of q (slot 0), k or v as the kernels read it.
  double qkv_value(std::int64_t b, std::int64_t t, int slot, std::int64_t head, std::int64_t i) const {
    const std::int64_t heads = setting.heads, width = setting.head_width;
    return float_from_bfloat16(qkv[(((b * setting.tokens + t) * 3 + slot) * heads + head) * width + i]);
  }
};

inline SparkCase make_spark_case(const SparkSetting& setting, std::uint32_t seed) {
  SparkCase made;
  made.setting = setting;
  const std::int64_t tokens = setting.batch * setting.tokens, width = setting.heads * setting.head_width;
  made.qkv = rounded(normal_floats(tokens * 3 * width, seed));
  made.d_output = rounded(normal_floats(tokens * width, seed + 1));
  made.addresses = normal_floats(setting.vocabulary * setting.rank, seed + 2);
  made.declarations = normal_floats(tokens * setting.rank, seed + 3);
  made.declarations_bf16 = rounded(made.declarations);
  if (setting.type == DeclarationType::Bfloat) made.declarations = widened(made.declarations_bf16);
  made.ids = zipfian_ids(setting.batch * (setting.tokens + 1), setting.vocabulary, seed + 4);
  if (setting.has_slopes) {
    for (std::int64_t head = 0; head < setting.heads; ++head)
      made.slopes.push_back(std::exp2(-8.0f * float(head + 1) / float(setting.heads)));
  }
  made.theta = setting.theta;
  made.weight = setting.weight;
  return made;
}

// The decision on the host from given scores.
struct SparkDecision {
  std::vector<std::uint32_t> direct, scope;
  std::vector<std::int32_t> row_counts;
  std::vector<double> row_moments, row_gates;

  explicit SparkDecision(SparkScoresShape shape)
      : direct(shape.batch * shape.tokens * scope_words(shape.tokens)),
        scope(direct.size()),
        row_counts(shape.batch * shape.tokens * kScopeCounts),
        row_moments(shape.batch * shape.tokens * 2),
        row_gates(shape.batch * shape.tokens) {}
  SparkScoresOutput pointers() {
    SparkScoresOutput output;
    output.direct = direct.data();
    output.scope = scope.data();
    output.row_counts = row_counts.data();
    output.row_moments = row_moments.data();
    output.row_gates = row_gates.data();
    return output;
  }
};

// Everything the attention kernels make, for the whole batch in their layouts, from the fp64 reference.
struct SparkExpected {
  std::vector<float> output, soft_output;             // [B,T,H,D]
  std::vector<float> lse_hard, lse_soft;              // [B,H,T]
  std::vector<float> d_queries, d_keys, d_values;     // [B,T,H,D]
  std::vector<float> d_address_rows, d_declarations;  // [B,T,r]
  double d_theta = 0, mass[2] = {};
};

//
// `saved_output` [B,T,H,D] as the kernels left it, of the weights that dl is taken from, stands for the exact
// output where the backward pass reads it; empty: the exact one.
inline SparkExpected expect_spark(const SparkCase& made, const SparkDecision& decision,
                                  const std::vector<float>& saved_output = {}) {
  const SparkSetting& s = made.setting;
  const std::int64_t tokens = s.tokens, heads = s.heads, width = s.head_width,
                     vectors = heads * tokens * width, words = scope_words(tokens);
  SparkExpected all;
  for (auto* array : {&all.output, &all.soft_output, &all.d_queries, &all.d_keys, &all.d_values})
    array->resize(s.batch * vectors);
  for (auto* array : {&all.lse_hard, &all.lse_soft}) array->resize(s.batch * heads * tokens);
  for (auto* array : {&all.d_address_rows, &all.d_declarations}) array->resize(s.batch * tokens * s.rank);
  const std::vector<double> slopes(made.slopes.begin(), made.slopes.end());
  const double pairs = std::max(1.0, double(s.batch) * double(tokens) * double(tokens - 1) / 2);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    std::vector<double> queries(vectors), keys(vectors), values(vectors), upstream(vectors),
        saved(saved_output.empty() ? 0 : vectors);
    for (std::int64_t h = 0, place = 0; h < heads; ++h) {
      for (std::int64_t t = 0; t < tokens; ++t) {
        for (std::int64_t i = 0; i < width; ++i, ++place) {
          queries[place] = made.qkv_value(b, t, 0, h, i);
          keys[place] = made.qkv_value(b, t, 1, h, i);
          values[place] = made.qkv_value(b, t, 2, h, i);
          const std::int64_t source = ((b * tokens + t) * heads + h) * width + i;
          upstream[place] = float_from_bfloat16(made.d_output[source]);
          if (!saved.empty()) saved[place] = saved_output[source];
        }
      }
    }
    std::vector<double> addresses, declarations;
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t k = 0; k < s.rank; ++k) {
        addresses.push_back(made.addresses[made.ids[b * (tokens + 1) + t] * s.rank + k]);
        declarations.push_back(made.declarations[(b * tokens + t) * s.rank + k]);
      }
    }
    std::vector<std::uint8_t> reasons(tokens * tokens);
    for (std::int64_t pair = 0; pair < tokens * tokens; ++pair) {
      const std::int64_t word = (b * tokens + pair / tokens) * words + pair % tokens / 32,
                         bit = pair % tokens % 32;
      if (decision.scope[word] >> bit & 1)
        reasons[pair] = decision.direct[word] >> bit & 1 ? kDirect
                        : pair / tokens == pair % tokens ? kSelf
                                                         : kFallback;
    }
    SparkAttentionCase input;
    input.tokens = tokens, input.heads = heads, input.head_width = width, input.rank = s.rank;
    input.queries = queries.data(), input.keys = keys.data(), input.values = values.data();
    input.slopes = slopes.empty() ? nullptr : slopes.data();
    input.addresses = addresses.data(), input.declarations = declarations.data();
    input.reasons = reasons.data(), input.d_output = upstream.data();
    input.saved_output = saved.empty() ? nullptr : saved.data();
    input.theta = made.theta, input.tau = made.tau, input.kappa = made.kappa, input.scale = made.rule().scale;
    input.penalty = made.weight / (pairs * double(made.layers));
    input.estimator = s.estimator, input.gate_pairs = s.gate_pairs;

    std::vector<double> output(vectors), soft_output(vectors), d_queries(vectors), d_keys(vectors),
        d_values(vectors), lse_hard(heads * tokens), lse_soft(heads * tokens), hard(heads * tokens * tokens),
        soft(hard.size()), d_scores(tokens * tokens), d_addresses(tokens * s.rank),
        d_declarations(tokens * s.rank);
    double d_theta = 0, mass[2];
    spark_attention_reference(
        input, {output.data(), soft_output.data(), lse_hard.data(), lse_soft.data(), hard.data(), soft.data(),
                d_queries.data(), d_keys.data(), d_values.data(), d_scores.data(), d_addresses.data(),
                d_declarations.data(), &d_theta, mass});
    for (std::int64_t h = 0, place = 0; h < heads; ++h) {
      for (std::int64_t t = 0; t < tokens; ++t) {
        for (std::int64_t i = 0; i < width; ++i, ++place) {
          const std::int64_t target = ((b * tokens + t) * heads + h) * width + i;
          all.output[target] = float(output[place]), all.soft_output[target] = float(soft_output[place]);
          all.d_queries[target] = float(d_queries[place]), all.d_keys[target] = float(d_keys[place]);
          all.d_values[target] = float(d_values[place]);
        }
      }
    }
    std::copy(lse_hard.begin(), lse_hard.end(), all.lse_hard.begin() + b * heads * tokens);
    std::copy(lse_soft.begin(), lse_soft.end(), all.lse_soft.begin() + b * heads * tokens);
    std::copy(d_addresses.begin(), d_addresses.end(), all.d_address_rows.begin() + b * tokens * s.rank);
    std::copy(d_declarations.begin(), d_declarations.end(), all.d_declarations.begin() + b * tokens * s.rank);
    all.d_theta += d_theta, all.mass[0] += mass[0], all.mass[1] += mass[1];
  }
  return all;
}

}  // namespace sparsescope::kernels
