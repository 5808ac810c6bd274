// Cross-entropy with its gradient on the CPU, in fp64: what the kernels are compared with.
#include <algorithm>
#include <cmath>

#include "kernels/cross_entropy/cross_entropy.h"

namespace sparsescope::kernels {

void count_targets_reference(TokenIds targets, float* inverse_count, std::int32_t* non_finite) {
  std::int64_t predicted = 0;
  for (std::int64_t n = 0; n < targets.count(); ++n) predicted += targets[n] != kIgnoredTarget;
  *inverse_count = predicted == 0 ? 0.0f : 1.0f / float(predicted);
  *non_finite = 0;
}

void cross_entropy_reference(const float* logits, CrossEntropyChunk chunk, const float* inverse_count,
                             CrossEntropyOutput output) {
  const std::int64_t vocabulary = chunk.vocabulary;
  for (std::int64_t r = 0; r < chunk.rows; ++r) {
    const float* row = logits + r * vocabulary;
    Bfloat16* d_row = output.d_logits + r * vocabulary;
    const std::int64_t target = chunk.targets[chunk.first + r];
    if (target == kIgnoredTarget) {
      output.nll[r] = 0;
      std::fill_n(d_row, vocabulary, bfloat16_from_float(0));
      continue;
    }
    const bool is_finite = std::all_of(row, row + vocabulary, [](float x) { return std::isfinite(x); });
    if (!is_finite) ++*output.non_finite;
    const double largest = *std::max_element(row, row + vocabulary);
    double sum = 0;
    for (std::int64_t v = 0; v < vocabulary; ++v) sum += std::exp(row[v] - largest);
    output.nll[r] = float(std::log(sum) + largest - row[target]);
    for (std::int64_t v = 0; v < vocabulary; ++v) {
      const double share = std::exp(row[v] - largest) / sum;
      d_row[v] = bfloat16_from_float(float((share - (v == target ? 1 : 0)) * *inverse_count));
    }
  }
}

void mean_nll_reference(const float* nll, std::int64_t rows, const float* inverse_count, float* loss) {
  double sum = 0;
  for (std::int64_t r = 0; r < rows; ++r) sum += nll[r];
  *loss = float(sum * *inverse_count);
}

}  // namespace sparsescope::kernels
