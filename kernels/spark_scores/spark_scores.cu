// SPaRK's scores and decision on the GPU. First a block a tile of 64 x 64 pairs: scores, direct bits, log
// gates and partial sums; then a warp a row: inheritance, fallback, counts and final sums.
#include <stdexcept>

#include "kernels/common/launch.h"
#include "kernels/common/reduce.h"
#include "kernels/common/vector.h"
#include "kernels/spark_scores/pair_plane.h"
#include "kernels/spark_scores/spark_scores.h"

namespace sparsescope::kernels {
namespace {

constexpr int kTile = int(kPairTile);
constexpr int kTileThreads = 128;
constexpr int kRowsPerThread = 8, kKeysPerThread = 4;  // 8 x 16 threads
constexpr int kRankStep = 64;                          // of the dot product staged at once
constexpr int kScorePitch = kTile + 8;                 // of finished scores: 8-byte reads of 8 rows x 4 lanes
constexpr int kWarpsPerBlock = 8;

// What a tile leaves for its rows, summed over keys p < t.
struct alignas(32) RowPartial {
  double sum, squares, gates;
  double not_finite;  // p <= t
};

template <typename Declaration>
struct TileArguments {
  const Declaration* declarations;  // [B,T,r]
  const float* addresses;           // [V,r]
  TokenIds ids;
  const float* theta;
  int tokens, rank, tile_rows;
  float score_scale, inverse_tau;
  std::uint32_t* direct;  // or null
  RowPartial* partials;   // [B,T,tile_rows] or null
  Bfloat16* log_gates;    // or null
  float* scores;          // [B,T,T] or null: then the grid covers the upper triangle too
};

// Place of (k, row) in a staged array [kRankStep][64]: rows swapped in fours by k, so that neither the stores
// of 8 vectors of 4 rows nor the 16-byte reads of rows meet a bank twice.
__device__ inline int staged_place(int k, int row) { return k * kTile + (row ^ k / 4 % 8 * 4); }

// Four values from `column` on, zero beyond the rank.
template <typename T>
__device__ Pack<4> load_four(const T* source, int column, int rank) {
  if (rank % 4 == 0) return load<4>(source + column);
  Pack<4> values;
#pragma unroll
  for (int i = 0; i < 4; ++i) values.at[i] = column + i < rank ? load<1>(source + column + i).at[0] : 0.0f;
  return values;
}

// staged[k][row] = scale * row_of(row)[first + k], 0 beyond the rank and for rows that are null.
template <typename RowOf>
__device__ void stage(float* staged, const RowOf& row_of, int first, int rank, float scale) {
#pragma unroll 4
  for (int pass = 0; pass < kTile * kRankStep / 4 / kTileThreads; ++pass) {
    const int vector = int(threadIdx.x) + pass * kTileThreads, row = vector / 8 % kTile,
              k = (vector % 8 + vector / (8 * kTile) * 8) * 4;
    const auto* source = row_of(row);
    const bool exists = source != nullptr && first + k < rank;
    Pack<4> values{};
    if (exists) values = load_four(source, first + k, rank);
#pragma unroll
    for (int i = 0; i < 4; ++i) staged[staged_place(k + i, row)] = values.at[i] * scale;
  }
}

__device__ inline float log_sigmoid(float x, float* sigmoid) {
  const float decay = __expf(-fabsf(x)), sum = 1.0f + decay;
  *sigmoid = __fdividef(x >= 0.0f ? 1.0f : decay, sum);
  const float softplus = decay < 0.01f ? decay * (1.0f - 0.5f * decay) : __logf(sum);
  return (x < 0.0f ? x : 0.0f) - softplus;
}

// Over the four lanes that share a row of a fragment.
template <typename T>
__device__ inline T sum_of_row(T value) {
  value += __shfl_xor_sync(kFullWarp, value, 1);
  return value + __shfl_xor_sync(kFullWarp, value, 2);
}
__device__ inline std::uint32_t bits_of_row(std::uint32_t bits) {
  bits |= __shfl_xor_sync(kFullWarp, bits, 1);
  return bits | __shfl_xor_sync(kFullWarp, bits, 2);
}

// One row of a warp's 16 x 64 scores, 16 of them a lane: packed log gates, and what the row leaves.
struct RowResult {
  std::uint32_t log_gates[8];  // of keys (8 n + 2 c, + 1)
  std::uint32_t bits[2];
  RowPartial partial;
};

__device__ RowResult finish_row(const float* scores, int query, int first_key, int column, float theta,
                                float inverse_tau) {
  RowResult row{};
  float gates = 0;
  int not_finite = 0;
#pragma unroll
  for (int n = 0; n < 8; ++n) {
    const float2 pair = *reinterpret_cast<const float2*>(scores + n * 8 + column * 2);
    float log_gates[2];
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      const int key = first_key + n * 8 + column * 2 + e;
      const float score = e == 0 ? pair.x : pair.y;
      float gate;
      log_gates[e] = log_sigmoid((score - theta) * inverse_tau, &gate);
      not_finite += key <= query && !isfinite(score);
      if (key >= query) continue;
      row.partial.sum += score;
      row.partial.squares += double(score) * score;
      gates += gate;
      row.bits[n / 4] |= std::uint32_t(score > theta) << (n % 4 * 8 + column * 2 + e);
    }
    row.log_gates[n] = pack(log_gates[0], log_gates[1]);
  }
  row.partial.gates = gates;
  row.partial.not_finite = not_finite;
  return row;
}

// The row's bits and sums, collected from its four lanes.
template <typename Declaration>
__device__ void write_row(const TileArguments<Declaration>& a, const RowResult& row, int sequence, int query,
                          int key_tile, int column) {
  const std::uint32_t low = bits_of_row(row.bits[0]), high = bits_of_row(row.bits[1]);
  const RowPartial total{sum_of_row(row.partial.sum), sum_of_row(row.partial.squares),
                         sum_of_row(row.partial.gates), sum_of_row(row.partial.not_finite)};
  if (query >= a.tokens || column != 0) return;
  const std::int64_t index = std::int64_t(sequence) * a.tokens + query;
  const int words = (a.tokens + 31) / 32;
  a.direct[index * words + key_tile * 2] = low;
  if (key_tile * 2 + 1 < words) a.direct[index * words + key_tile * 2 + 1] = high;
  a.partials[index * a.tile_rows + key_tile] = total;
}

// A warp takes 16 rows of the tile's scores, a lane the pairs of a tensor core fragment.
template <typename Declaration>
__device__ void finish_tile(const TileArguments<Declaration>& a, const float* scores, int sequence,
                            int query_tile, int key_tile) {
  const int warp = int(threadIdx.x) / kWarpSize, lane = int(threadIdx.x) % kWarpSize, column = lane % 4,
            row = warp * 16 + lane / 4, query = query_tile * kTile + row;
  const float theta = a.theta[0];
  RowResult rows[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    rows[i] = finish_row(scores + (row + i * 8) * kScorePitch, query + i * 8, key_tile * kTile, column, theta,
                         a.inverse_tau);
    if (a.partials != nullptr) write_row(a, rows[i], sequence, query + i * 8, key_tile, column);
  }
  if (a.log_gates == nullptr) return;
  const std::int64_t lower = std::int64_t(a.tile_rows) * (a.tile_rows + 1) / 2;
  Bfloat16* tile = a.log_gates + pair_tile_offset(sequence, lower, query_tile, key_tile);
#pragma unroll
  for (int group = 0; group < 4; ++group)
    *reinterpret_cast<uint4*>(tile + ((warp * 4 + group) * kWarpSize + lane) * 8) = {
        rows[0].log_gates[group * 2], rows[1].log_gates[group * 2], rows[0].log_gates[group * 2 + 1],
        rows[1].log_gates[group * 2 + 1]};
}

template <typename Declaration>
__global__ void __launch_bounds__(kTileThreads, 5) spark_tile_kernel(TileArguments<Declaration> a) {
  __shared__ __align__(16) float staged[2 * kRankStep * kTile];
  float* addresses = staged;                         // [k][query], staged_place
  float* declarations = staged + kRankStep * kTile;  // [k][key]
  const bool is_square = a.scores != nullptr;
  const int tiles = is_square ? a.tile_rows * a.tile_rows : a.tile_rows * (a.tile_rows + 1) / 2;
  const int sequence = int(blockIdx.x / tiles), n = int(blockIdx.x % tiles);
  const int query_tile = is_square ? n / a.tile_rows : pair_tile_row(n);
  const int key_tile = is_square ? n % a.tile_rows : n - query_tile * (query_tile + 1) / 2;

  // Scores of an 8 x 4 patch a thread, r in ascending order.
  const int patch_row = int(threadIdx.x) / 16 * kRowsPerThread,
            patch_key = int(threadIdx.x) % 16 * kKeysPerThread;
  const std::int64_t first = std::int64_t(sequence) * a.tokens;
  const auto address_of = [&](int row) {
    const int query = query_tile * kTile + row;
    return query < a.tokens ? a.addresses + a.ids.data[sequence * a.ids.stride + query] * a.rank : nullptr;
  };
  const auto declaration_of = [&](int row) {
    const int key = key_tile * kTile + row;
    return key < a.tokens ? a.declarations + (first + key) * a.rank : nullptr;
  };
  float scores[kRowsPerThread][kKeysPerThread] = {};
  for (int step = 0; step < a.rank; step += kRankStep) {
    if (step > 0) __syncthreads();
    stage(addresses, address_of, step, a.rank, a.score_scale);
    stage(declarations, declaration_of, step, a.rank, 1.0f);
    __syncthreads();
    const int count = min(kRankStep, a.rank - step);
    for (int four = 0; four < count; four += 4) {
      const float* left = addresses + staged_place(four, patch_row);
      const float* left_high = addresses + staged_place(four, patch_row + 4);
      const float* right = declarations + staged_place(four, patch_key);
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float4 low = *reinterpret_cast<const float4*>(left + k * kTile);
        const float4 high = *reinterpret_cast<const float4*>(left_high + k * kTile);
        const float4 keys = *reinterpret_cast<const float4*>(right + k * kTile);
        const float u[kRowsPerThread] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
        const float z[kKeysPerThread] = {keys.x, keys.y, keys.z, keys.w};
#pragma unroll
        for (int i = 0; i < kRowsPerThread; ++i)
#pragma unroll
          for (int j = 0; j < kKeysPerThread; ++j) scores[i][j] = fmaf(u[i], z[j], scores[i][j]);
      }
    }
  }

  // Turned into fragments through shared memory.
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kRowsPerThread; ++i)
    *reinterpret_cast<float4*>(staged + (patch_row + i) * kScorePitch + patch_key) = {
        scores[i][0], scores[i][1], scores[i][2], scores[i][3]};
  __syncthreads();
  if (is_square) {
    for (int pair = int(threadIdx.x); pair < kTile * kTile; pair += kTileThreads) {
      const int query = query_tile * kTile + pair / kTile, key = key_tile * kTile + pair % kTile;
      if (query < a.tokens && key < a.tokens)
        a.scores[(first + query) * a.tokens + key] = staged[pair / kTile * kScorePitch + pair % kTile];
    }
  }
  if (key_tile <= query_tile) finish_tile(a, staged, sequence, query_tile, key_tile);
}

// Word `word` of the OR of the direct rows of the keys that the row declares; lanes share the keys in groups
// when a row has few words. Rows hold no bits beyond the word of their own position.
__device__ std::uint32_t inherited_word(const std::uint32_t* row_bits, const std::uint32_t* sequence_bits,
                                        int query, int words, int first_word, int lane) {
  const int width = words <= 8 ? 8 : words <= 16 ? 16 : 32, groups = kWarpSize / width;
  const int word = first_word + lane % width;
  std::uint32_t inherited = 0;
  for (int heir_word = first_word + lane / width; heir_word <= query / 32; heir_word += groups) {
    const bool is_wanted = word <= heir_word;
    const std::uint32_t* rows = sequence_bits + std::int64_t(heir_word) * 32 * words + word;
    std::uint32_t heirs = row_bits[heir_word];
    while (heirs != 0) {
      // Four rows in flight.
      int heir[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        heir[i] = heirs != 0 ? __ffs(int(heirs)) - 1 : heir[0];
        heirs &= heirs - 1;
      }
      if (!is_wanted) continue;
#pragma unroll
      for (int i = 0; i < 4; ++i) inherited |= rows[std::int64_t(heir[i]) * words];
    }
  }
  for (int offset = width; offset < kWarpSize; offset *= 2)
    inherited |= __shfl_xor_sync(kFullWarp, inherited, offset);
  return inherited;
}

// Bits of keys first .. last-1 that fall into `word`.
__device__ inline std::uint32_t range_bits(int word, int first, int last) {
  const int low = max(first - word * 32, 0), high = min(last - word * 32, 32);
  if (low >= high) return 0;
  return (0xffffffffu >> (32 - (high - low))) << low;
}

struct ScopeArguments {
  std::uint32_t* direct;
  const RowPartial* partials;
  std::int64_t rows;  // B * T
  int tokens, tile_rows, window;
  bool inheritance, fallback;
  std::uint32_t* scope;
  std::int32_t* row_counts;
  double* row_moments;
  double* row_gates;
};

__device__ void finish_sums(const ScopeArguments& a, std::int64_t index, int query, int lane,
                            std::int32_t* counts) {
  RowPartial total{};
  for (int tile = lane; tile <= query / kTile; tile += kWarpSize) {
    const RowPartial part = a.partials[index * a.tile_rows + tile];
    total.sum += part.sum;
    total.squares += part.squares;
    total.gates += part.gates;
    total.not_finite += part.not_finite;
  }
  total = {warp_sum(total.sum), warp_sum(total.squares), warp_sum(total.gates), warp_sum(total.not_finite)};
  if (lane != 0) return;
  counts[kCountNonFinite] = int(total.not_finite);
  a.row_moments[index * 2] = total.sum;
  a.row_moments[index * 2 + 1] = total.squares;
  if (a.row_gates != nullptr) a.row_gates[index] = total.gates;
}

__global__ void __launch_bounds__(kWarpsPerBlock* kWarpSize) spark_scope_kernel(ScopeArguments a) {
  const std::int64_t index = std::int64_t(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarpSize;
  if (index >= a.rows) return;
  const int query = int(index % a.tokens), lane = int(threadIdx.x % kWarpSize), words = (a.tokens + 31) / 32;
  std::uint32_t* row_bits = a.direct + index * words;
  const std::uint32_t* sequence_bits = a.direct + (index - query) * words;
  std::int32_t* counts = a.row_counts + index * kScopeCounts;
  finish_sums(a, index, query, lane, counts);

  int declared = 0;
  for (int word = lane; word <= query / 32; word += kWarpSize) declared += __popc(row_bits[word]);
  declared = warp_sum(declared);
  const bool uses_window = a.fallback && declared == 0;
  int inherited_count = 0;
  for (int first = 0; first < words; first += kWarpSize) {
    const int word = first + lane;
    const std::uint32_t inherited = a.inheritance && declared > 0
                                        ? inherited_word(row_bits, sequence_bits, query, words, first, lane)
                                        : 0;
    if (word >= words) continue;
    std::uint32_t bits = 0;
    if (word <= query / 32) {
      bits = row_bits[word];
    } else {
      row_bits[word] = 0;
    }
    inherited_count += __popc(inherited & ~bits);
    bits |= inherited | range_bits(word, query, query + 1);
    if (uses_window) bits |= range_bits(word, max(0, query - a.window + 1), query);
    a.scope[index * words + word] = bits;
  }
  __syncwarp();
  inherited_count = warp_sum(inherited_count);
  if (lane != 0) return;
  counts[kCountDirect] = declared;
  counts[kCountInherited] = inherited_count;
  counts[kCountFallback] = uses_window ? min(query, a.window - 1) : 0;
  counts[kCountEmpty] = declared == 0;
}

__global__ void spark_reasons_kernel(const std::uint32_t* direct, const std::uint32_t* scope,
                                     std::int64_t rows, int tokens, std::uint8_t* reasons) {
  const std::int64_t index = std::int64_t(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarpSize;
  if (index >= rows) return;
  const int query = int(index % tokens), lane = int(threadIdx.x % kWarpSize), words = (tokens + 31) / 32;
  std::uint32_t any = 0;
  for (int word = lane; word < words; word += kWarpSize) any |= direct[index * words + word];
  const std::uint8_t other = __any_sync(kFullWarp, any != 0) ? kInherited : kFallback;
  for (int word = 0; word < words; ++word) {
    const int key = word * 32 + lane;
    if (key >= tokens) continue;
    const bool is_direct = direct[index * words + word] >> lane & 1;
    const bool is_scope = scope[index * words + word] >> lane & 1;
    reasons[index * tokens + key] = !is_scope ? 0 : is_direct ? kDirect : key == query ? kSelf : other;
  }
}

int tile_rows_of(SparkScoresShape shape) { return int(divide_up(shape.tokens, kPairTile)); }

void check_shape(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule) {
  if (shape.rank < 1 || shape.tokens > 1 << 16 || !(rule.tau > 0) || rule.scope.window < 1)
    throw std::runtime_error(
        "spark_scores wants a rank of at least 1, at most 65536 tokens, a positive tau and a window of at "
        "least 1");
  if ((input.declarations == nullptr) == (input.declarations_bf16 == nullptr))
    throw std::runtime_error("spark_scores wants its declarations once, in fp32 or in bf16");
}

template <typename Declaration>
void run_tiles(const Declaration* declarations, const SparkScoresInput& input, SparkScoresShape shape,
               SparkScoresRule rule, const SparkScoresOutput& output, RowPartial* partials, Stream stream) {
  const int rows = tile_rows_of(shape);
  const TileArguments<Declaration> arguments{
      declarations,      input.addresses, input.ids, input.theta,
      int(shape.tokens), int(shape.rank), rows,      spark_score_scale(rule.kappa, shape.rank),
      1.0f / rule.tau,   output.direct,   partials,  output.log_gates,
      output.scores};
  const std::int64_t tiles = output.scores != nullptr ? std::int64_t(rows) * rows : pair_tiles(shape.tokens);
  launch("the tile pass of spark_scores", spark_tile_kernel<Declaration>, shape.batch * tiles, kTileThreads,
         stream, arguments);
}

void run_tiles(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
               const SparkScoresOutput& output, RowPartial* partials, Stream stream) {
  check_shape(input, shape, rule);
  if (input.declarations != nullptr) {
    run_tiles(input.declarations, input, shape, rule, output, partials, stream);
  } else {
    run_tiles(input.declarations_bf16, input, shape, rule, output, partials, stream);
  }
}

}  // namespace

std::int64_t spark_scores_scratch(SparkScoresShape shape) {
  return shape.batch * shape.tokens * tile_rows_of(shape) * std::int64_t(sizeof(RowPartial));
}

void spark_scores(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                  const SparkScoresOutput& output, void* scratch, Stream stream) {
  auto* partials = static_cast<RowPartial*>(scratch);
  run_tiles(input, shape, rule, output, partials, stream);
  const ScopeArguments arguments{output.direct,
                                 partials,
                                 shape.batch * shape.tokens,
                                 int(shape.tokens),
                                 tile_rows_of(shape),
                                 int(rule.scope.window < shape.tokens ? rule.scope.window : shape.tokens),
                                 rule.scope.inheritance,
                                 rule.scope.fallback,
                                 output.scope,
                                 output.row_counts,
                                 output.row_moments,
                                 output.row_gates};
  launch("the row pass of spark_scores", spark_scope_kernel, divide_up(arguments.rows, kWarpsPerBlock),
         kWarpsPerBlock * kWarpSize, stream, arguments);
}

void spark_log_gates(const SparkScoresInput& input, SparkScoresShape shape, SparkScoresRule rule,
                     Bfloat16* log_gates, Stream stream) {
  SparkScoresOutput output;
  output.log_gates = log_gates;
  run_tiles(input, shape, rule, output, nullptr, stream);
}

void spark_reasons(const std::uint32_t* direct, const std::uint32_t* scope, SparkScoresShape shape,
                   std::uint8_t* reasons, Stream stream) {
  const std::int64_t rows = shape.batch * shape.tokens;
  launch("spark_reasons", spark_reasons_kernel, divide_up(rows, kWarpsPerBlock), kWarpsPerBlock * kWarpSize,
         stream, direct, scope, rows, int(shape.tokens), reasons);
}

}  // namespace sparsescope::kernels
