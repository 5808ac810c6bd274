// A case of SPaRK's decision with its results on the host, shared by the CPU and GPU tests.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::kernels {

struct ScopeCase {
  ScopeShape shape;
  ScopeRule rule;
  float theta = 0;
  std::vector<float> scores;  // [B,T,T]
};

struct ScopeResult {
  std::vector<std::uint8_t> reasons;     // [B,T,T]
  std::vector<std::int32_t> row_counts;  // [B,T,kScopeCounts]
  std::vector<double> row_moments;       // [B,T,2]

  explicit ScopeResult(ScopeShape shape)
      : reasons(shape.batch * shape.tokens * shape.tokens, 0xee),
        row_counts(shape.batch * shape.tokens * kScopeCounts, -7),
        row_moments(shape.batch * shape.tokens * 2, -7.0) {}
  ScopeOutput pointers() { return {reasons.data(), row_counts.data(), row_moments.data()}; }
};

// Normal scores; `theta` decides the density (0: a half, 2: 2 %).
inline ScopeCase make_case(ScopeShape shape, ScopeRule rule, float theta, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  ScopeCase made{shape, rule, theta, std::vector<float>(shape.batch * shape.tokens * shape.tokens)};
  for (float& score : made.scores) score = normal(generator);
  return made;
}

inline ScopeResult run_reference(const ScopeCase& made) {
  ScopeResult result(made.shape);
  spark_scope_reference(made.scores.data(), &made.theta, made.shape, made.rule, result.pointers(), 0,
                        made.shape.batch);
  return result;
}

}  // namespace sparsescope::kernels
