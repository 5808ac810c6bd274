// SPaRK's decision on the GPU: one warp a row, first the direct bitset with counts and moments, then the
// reason codes with inheritance by OR of bitset rows. No atomics; sums run in a fixed order.
#include "kernels/common/launch.h"
#include "kernels/common/reduce.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::kernels {
namespace {

constexpr int kWarpsPerBlock = 8;

struct Row {
  std::int64_t index;  // b * T + t
  int query;           // t
  int lane;
  bool exists;
};

__device__ Row row_of_warp(ScopeShape shape) {
  const std::int64_t index = std::int64_t(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarpSize;
  return {index, int(index % shape.tokens), int(threadIdx.x % kWarpSize), index < shape.batch * shape.tokens};
}

// Writes direct bits, moments and the counts that need no inheritance.
__global__ void scope_direct_kernel(const float* scores, const float* theta, ScopeShape shape,
                                    std::uint32_t* direct, std::int32_t* row_counts, double* row_moments) {
  const Row row = row_of_warp(shape);
  if (!row.exists) return;
  const int tokens = int(shape.tokens), words = (tokens + 31) / 32;
  const float* row_scores = scores + row.index * tokens;
  const float threshold = theta[0];
  int declared = 0, not_finite = 0;
  double sum = 0, squares = 0;
  for (int word = 0; word < words; ++word) {
    const int key = word * 32 + row.lane;
    const float score = key <= row.query ? row_scores[key] : 0.0f;
    const bool is_past = key < row.query;
    const std::uint32_t bits = __ballot_sync(kFullWarp, is_past && score > threshold);
    if (row.lane == 0) direct[row.index * words + word] = bits;
    declared += __popc(bits);
    not_finite += __popc(__ballot_sync(kFullWarp, !isfinite(score)));
    if (is_past) sum += score, squares += double(score) * score;
  }
  sum = warp_sum(sum);
  squares = warp_sum(squares);
  if (row.lane != 0) return;
  std::int32_t* counts = row_counts + row.index * kScopeCounts;
  counts[kCountDirect] = declared;
  counts[kCountEmpty] = declared == 0;
  counts[kCountNonFinite] = not_finite;
  row_moments[row.index * 2] = sum;
  row_moments[row.index * 2 + 1] = squares;
}

// Word `word` of the OR of direct[p] over the keys p that the row declares.
__device__ std::uint32_t inherited_word(const std::uint32_t* row_bits, const std::uint32_t* sequence_bits,
                                        int query, int words, int word) {
  std::uint32_t inherited = 0;
  for (int heir_word = 0; heir_word <= query / 32; ++heir_word) {
    for (std::uint32_t heirs = row_bits[heir_word]; heirs != 0; heirs &= heirs - 1) {
      const int heir = heir_word * 32 + __ffs(int(heirs)) - 1;
      if (word < words) inherited |= sequence_bits[std::int64_t(heir) * words + word];
    }
  }
  return inherited;
}

__device__ std::uint8_t reason_of(int key, int query, bool is_direct, bool is_inherited, bool uses_window,
                                  int window) {
  if (key > query) return 0;
  if (key == query) return kSelf;
  std::uint8_t reason = 0;
  if (is_direct) reason |= kDirect;
  if (is_inherited) reason |= kInherited;
  if (uses_window && query - key < window) reason |= kFallback;
  return reason;
}

// Reads the bitset of the whole sequence; writes reason codes and the remaining counts.
__global__ void scope_reason_kernel(const std::uint32_t* direct, ScopeShape shape, ScopeRule rule,
                                    std::uint8_t* reasons, std::int32_t* row_counts) {
  const Row row = row_of_warp(shape);
  if (!row.exists) return;
  const int tokens = int(shape.tokens), words = (tokens + 31) / 32;
  const int window = int(rule.window < shape.tokens ? rule.window : shape.tokens);
  const std::uint32_t* row_bits = direct + row.index * words;
  const std::uint32_t* sequence_bits = direct + (row.index - row.query) * words;
  std::int32_t* counts = row_counts + row.index * kScopeCounts;
  const bool uses_window = rule.fallback && counts[kCountEmpty] != 0;
  int inherited_count = 0;
  for (int first = 0; first < words; first += kWarpSize) {
    // One word a lane, then one key a lane.
    const int word = first + row.lane;
    const std::uint32_t bits = word < words ? row_bits[word] : 0;
    const std::uint32_t inherited =
        rule.inheritance ? inherited_word(row_bits, sequence_bits, row.query, words, word) : 0;
    inherited_count += __popc(inherited & ~bits);
    for (int owner = 0; owner < kWarpSize && first + owner < words; ++owner) {
      const std::uint32_t owner_bits = __shfl_sync(kFullWarp, bits, owner);
      const std::uint32_t owner_inherited = __shfl_sync(kFullWarp, inherited, owner);
      const int key = (first + owner) * 32 + row.lane;
      if (key < tokens) {
        reasons[row.index * tokens + key] = reason_of(key, row.query, owner_bits >> row.lane & 1,
                                                      owner_inherited >> row.lane & 1, uses_window, window);
      }
    }
  }
  inherited_count = warp_sum(inherited_count);
  if (row.lane != 0) return;
  counts[kCountInherited] = inherited_count;
  counts[kCountFallback] = uses_window ? min(row.query, window - 1) : 0;
}

}  // namespace

void spark_scope(const float* scores, const float* theta, ScopeShape shape, ScopeRule rule,
                 ScopeOutput output, std::uint32_t* scratch, Stream stream) {
  const std::int64_t blocks = divide_up(shape.batch * shape.tokens, kWarpsPerBlock);
  constexpr int kThreads = kWarpsPerBlock * kWarpSize;
  launch("the direct pass of spark_scope", scope_direct_kernel, blocks, kThreads, stream, scores, theta,
         shape, scratch, output.row_counts, output.row_moments);
  launch("the reason pass of spark_scope", scope_reason_kernel, blocks, kThreads, stream,
         static_cast<const std::uint32_t*>(scratch), shape, rule, output.reasons, output.row_counts);
}

}  // namespace sparsescope::kernels
