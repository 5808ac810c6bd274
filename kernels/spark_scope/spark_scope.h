// SPaRK's decision: from scores and a threshold, which past tokens each token may attend to and why. Taken
// once, from one fp32 tensor, for forward, backward and statistics alike. No attention here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/stream.h"

namespace sparsescope::kernels {

// Reason codes of a pair (query t, key p); they add up: 3 is declared by p itself and by an heir. 0 is out of
// scope.
enum ScopeReason : std::uint8_t { kDirect = 1, kInherited = 2, kFallback = 4, kSelf = 8 };

// Columns of `row_counts`: past pairs p < t of a row by reason, disjoint, and what is wrong with the row.
enum ScopeCount : int {
  kCountDirect,     // inherited or not
  kCountInherited,  // not direct
  kCountFallback,
  kCountEmpty,      // 1 when the row has no direct key
  kCountNonFinite,  // scores at p <= t that are NaN or infinite; they count as "not declared"
  kScopeCounts
};

struct ScopeRule {
  bool inheritance = false;  // depth 1: direct pairs of a direct key, from the strictly lower triangle alone
  bool fallback = true;      // rows without a direct key see the recent window
  std::int64_t window = 32;  // W >= 1, keys including self
};

struct ScopeShape {
  std::int64_t batch = 0;   // B
  std::int64_t tokens = 0;  // T
};

// Where the results go. All are written in full.
struct ScopeOutput {
  std::uint8_t* reasons = nullptr;     // [B,T,T]
  std::int32_t* row_counts = nullptr;  // [B,T,kScopeCounts]
  double* row_moments = nullptr;       // [B,T,2] sum of S and of S^2 over p < t, added in a fixed order
};

// Words of 32 keys that one row of the direct bitset takes; `scratch` below holds B * T of them.
inline std::int64_t scope_words(std::int64_t tokens) { return (tokens + 31) / 32; }

// scores [B,T,T] fp32, row = query; theta [1] fp32; direct[t,p] = p < t and scores[t,p] > theta (strict, NaN
// is never declared but counted). scratch [B,T,scope_words(T)] u32. All pointers on the device of `stream`.
// Integer counts, no atomics: the same bits on every run. Throws std::runtime_error when the launch fails.
void spark_scope(const float* scores, const float* theta, ScopeShape shape, ScopeRule rule,
                 ScopeOutput output, std::uint32_t* scratch, Stream stream);

// The same on the host, sequences `first` .. `last`-1 of the batch. Its sums are added in another order than
// the kernel's.
void spark_scope_reference(const float* scores, const float* theta, ScopeShape shape, ScopeRule rule,
                           ScopeOutput output, std::int64_t first, std::int64_t last);

}  // namespace sparsescope::kernels
