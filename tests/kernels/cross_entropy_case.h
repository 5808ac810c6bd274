// A case of cross-entropy with its results on the host, shared by the CPU and GPU tests.
#pragma once

#include "kernels/cross_entropy/cross_entropy.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {

struct CrossEntropyShape {
  std::int64_t batch = 1, length = 1;  // B, T; rows of targets are T + 1 long
  std::int64_t vocabulary = 2;         // V
};

struct CrossEntropyCase {
  CrossEntropyShape shape;
  std::vector<std::int64_t> ids;  // [B,T+1]; targets are the last T of each row
  std::vector<float> logits;      // [N,V]

  std::int64_t rows() const { return shape.batch * shape.length; }
  TokenIds targets(const std::int64_t* data) const {
    return {data + 1, shape.batch, shape.length, shape.length + 1};
  }
};

struct CrossEntropyResult {
  std::vector<float> nll;
  std::vector<Bfloat16> d_logits;
  float inverse_count = NAN, loss = NAN;
  std::int32_t non_finite = -1;
};

enum class Labels { AllPredict, SomeIgnored };

inline CrossEntropyCase make_cross_entropy_case(CrossEntropyShape shape, Labels labels, std::uint32_t seed) {
  CrossEntropyCase made{shape, zipfian_ids(shape.batch * (shape.length + 1), shape.vocabulary, seed),
                        normal_floats(shape.batch * shape.length * shape.vocabulary, seed + 1, 3)};
  if (labels == Labels::SomeIgnored) {
    for (std::size_t i = seed % 3; i < made.ids.size(); i += 3) made.ids[i] = kIgnoredTarget;
  }
  return made;
}

inline CrossEntropyResult run_reference(const CrossEntropyCase& made) {
  CrossEntropyResult result;
  result.nll.assign(made.rows(), NAN);
  result.d_logits = rounded(std::vector<float>(made.logits.size(), NAN));
  const TokenIds targets = made.targets(made.ids.data());
  count_targets_reference(targets, &result.inverse_count, &result.non_finite);
  cross_entropy_reference(made.logits.data(), {targets, 0, made.rows(), made.shape.vocabulary},
                          &result.inverse_count,
                          {result.nll.data(), result.d_logits.data(), &result.non_finite});
  mean_nll_reference(result.nll.data(), made.rows(), &result.inverse_count, &result.loss);
  return result;
}

}  // namespace sparsescope::kernels
