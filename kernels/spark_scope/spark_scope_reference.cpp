// SPaRK's decision on the CPU, with bitsets: what training on a CPU runs and what the kernel is compared
// with.
#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::kernels {
namespace {

using Word = std::uint64_t;
constexpr std::int64_t kWordBits = 64;
constexpr int kLanes = 8;  // independent partial sums, so that the compiler may use vector registers

// Sum of S and S^2 over the first `count` scores.
void moments(const float* scores, std::int64_t count, double* output) {
  double sums[kLanes] = {}, squares[kLanes] = {};
  std::int64_t key = 0;
  for (; key + kLanes <= count; key += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double score = scores[key + lane];
      sums[lane] += score;
      squares[lane] += score * score;
    }
  }
  for (; key < count; ++key) {
    const double score = scores[key];
    sums[0] += score;
    squares[0] += score * score;
  }
  output[0] = output[1] = 0;
  for (int lane = 0; lane < kLanes; ++lane) output[0] += sums[lane], output[1] += squares[lane];
}

std::int32_t count_not_finite(const float* scores, std::int64_t count) {
  std::int32_t found = 0;
  for (std::int64_t key = 0; key < count; ++key) found += scores[key] - scores[key] != 0.0f;
  return found;
}

// Ors kInherited into the codes of everything that a direct key of the row declared itself.
void inherit(const std::vector<Word>& direct, std::int64_t words, std::int64_t query,
             std::vector<Word>& inherited, std::uint8_t* codes) {
  const std::int64_t row_words = (query + kWordBits - 1) / kWordBits;
  std::fill(inherited.begin(), inherited.end(), Word{0});
  const Word* row = direct.data() + query * words;
  for (std::int64_t word = 0; word < row_words; ++word) {
    for (Word heirs = row[word]; heirs != 0; heirs &= heirs - 1) {
      const Word* heir = direct.data() + (word * kWordBits + std::countr_zero(heirs)) * words;
      for (std::int64_t other = 0; other <= word; ++other) inherited[other] |= heir[other];
    }
  }
  for (std::int64_t word = 0; word < row_words; ++word) {
    for (Word keys = inherited[word]; keys != 0; keys &= keys - 1) {
      codes[word * kWordBits + std::countr_zero(keys)] |= kInherited;
    }
  }
}

// The whole row t: codes, counts and, for later rows, its bits.
void decide_row(const float* scores, float theta, std::int64_t query, std::int64_t tokens, ScopeRule rule,
                std::vector<Word>& direct, std::int64_t words, std::vector<Word>& inherited,
                std::uint8_t* codes, std::int32_t* counts) {
  std::int32_t declared = 0;
  for (std::int64_t key = 0; key < query; ++key) {
    codes[key] = scores[key] > theta ? kDirect : 0;
    declared += codes[key];
  }
  codes[query] = kSelf;
  for (std::int64_t key = query + 1; key < tokens; ++key) codes[key] = 0;
  counts[kCountDirect] = declared;
  counts[kCountInherited] = 0;
  counts[kCountFallback] = 0;
  counts[kCountEmpty] = declared == 0;
  counts[kCountNonFinite] = count_not_finite(scores, query + 1);
  if (declared == 0 && rule.fallback) {
    const std::int64_t first = std::max<std::int64_t>(0, query - rule.window + 1);
    for (std::int64_t key = first; key < query; ++key) codes[key] = kFallback;
    counts[kCountFallback] = static_cast<std::int32_t>(query - first);
  }
  if (!rule.inheritance) return;
  Word* row = direct.data() + query * words;
  for (std::int64_t key = 0; key < query; ++key)
    row[key / kWordBits] |= Word(codes[key] & kDirect) << (key % kWordBits);
  inherit(direct, words, query, inherited, codes);
  for (std::int64_t key = 0; key < query; ++key)
    counts[kCountInherited] += (codes[key] & (kDirect | kInherited)) == kInherited;
}

}  // namespace

void spark_scope_reference(const float* scores, const float* theta, ScopeShape shape, ScopeRule rule,
                           ScopeOutput output, std::int64_t first, std::int64_t last) {
  const std::int64_t tokens = shape.tokens, words = (tokens + kWordBits - 1) / kWordBits;
  std::vector<Word> direct, inherited(rule.inheritance ? words : 0);
  for (std::int64_t sequence = first; sequence < last; ++sequence) {
    direct.assign(rule.inheritance ? tokens * words : 0, Word{0});
    for (std::int64_t query = 0; query < tokens; ++query) {
      const std::int64_t row = sequence * tokens + query;
      decide_row(scores + row * tokens, *theta, query, tokens, rule, direct, words, inherited,
                 output.reasons + row * tokens, output.row_counts + row * kScopeCounts);
      moments(scores + row * tokens, query, output.row_moments + row * 2);
    }
  }
}

}  // namespace sparsescope::kernels
