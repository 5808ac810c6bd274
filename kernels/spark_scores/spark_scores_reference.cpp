// SPaRK's scores and decision on the host, in bitsets: what the kernels are compared with.
#include <cmath>
#include <vector>

#include "kernels/spark_scores/spark_scores.h"

namespace sparsescope::kernels {
namespace {

float declaration(const SparkScoresInput& input, std::int64_t index) {
  return input.declarations != nullptr ? input.declarations[index]
                                       : float_from_bfloat16(input.declarations_bf16[index]);
}

// Which reason of a pair shows in which bitset.
void pack_row(const std::uint8_t* reasons, std::int64_t tokens, std::uint32_t* direct, std::uint32_t* scope) {
  for (std::int64_t word = 0; word < scope_words(tokens); ++word) direct[word] = scope[word] = 0;
  for (std::int64_t key = 0; key < tokens; ++key) {
    const std::uint32_t bit = 1u << key % 32;
    if (reasons[key] & kDirect) direct[key / 32] |= bit;
    if (reasons[key] != 0) scope[key / 32] |= bit;
  }
}

}  // namespace

void spark_scores_reference(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                            float* scores) {
  const float scale = spark_score_scale(rule.kappa, shape.rank);
  std::vector<float> address(shape.rank);
  for (std::int64_t row = 0; row < shape.batch * shape.tokens; ++row) {
    const std::int64_t first = row / shape.tokens * shape.tokens;
    for (std::int64_t k = 0; k < shape.rank; ++k)
      address[k] = input.addresses[input.ids[row] * shape.rank + k] * scale;
    for (std::int64_t key = 0; key < shape.tokens; ++key) {
      float score = 0;
      for (std::int64_t k = 0; k < shape.rank; ++k)
        score = std::fma(address[k], declaration(input, (first + key) * shape.rank + k), score);
      scores[row * shape.tokens + key] = score;
    }
  }
}

void spark_decision_reference(const float* scores, float theta, SparkScoresShape shape, SparkScoresRule rule,
                              const SparkScoresOutput& output) {
  const std::int64_t tokens = shape.tokens, rows = shape.batch * tokens, words = scope_words(tokens);
  std::vector<std::uint8_t> reasons(rows * tokens);
  spark_scope_reference(scores, &theta, {shape.batch, tokens}, rule.scope,
                        {reasons.data(), output.row_counts, output.row_moments}, 0, shape.batch);
  for (std::int64_t row = 0; row < rows; ++row) {
    pack_row(reasons.data() + row * tokens, tokens, output.direct + row * words, output.scope + row * words);
    double gates = 0;
    for (std::int64_t key = 0; key < row % tokens; ++key)
      gates += 1 / (1 + std::exp(-(double(scores[row * tokens + key]) - theta) / rule.tau));
    output.row_gates[row] = gates;
  }
}

}  // namespace sparsescope::kernels
