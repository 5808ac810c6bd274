// What one warp does with its rows: 16 kTiles queries that walk over keys (forward, gradient of q), or 16
// kTiles keys that walk over queries (gradients of k and v). Everything stays in registers; who loads the
// tiles is decided in attention_forward.cu and attention_backward.cu. Device code only.
//
// Logits are kept raw, q.k without the scale, so that scale and base of the exponential are one
// multiplication. ALiBi enters as the starting value of the product, slope (p - first key of the chunk), and
// the rest of the bias is one value a row and chunk: fp32 never sees the distance of two far positions.
#pragma once

#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/common/mma.cuh"
#include "kernels/rope/rotation.cuh"

namespace sparsescope::kernels {

inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLn2 = 0.6931471805599453f;

// What all warps of a launch share.
struct AttentionSettings {
  int tokens;           // T
  int heads;            // H
  int window;           // W, at most T
  float scale;          // of q.k
  float scale_log2;     // scale log2(e)
  const float* slopes;  // [H] or null
  RotaryTables rotary;
};

struct Lane {
  int index, g, t;
  __device__ Lane() : index(threadIdx.x % 32), g(index / 4), t(index % 4) {}
};

// Chunks whose pairs are all visible need no comparison.
enum class Pairs { All, SomeHidden };

// ALiBi of a head in units of the raw logits; 0 without.
__device__ inline float slope_of_head(const AttentionSettings& settings, int head) {
  return settings.slopes == nullptr ? 0.0f : settings.slopes[head] / settings.scale;
}

template <int kFragments>
__device__ inline void scale_rows(FragmentC (&c)[kFragments], float factor) {
#pragma unroll
  for (int n = 0; n < kFragments; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) c[n].at[i] *= factor;
  }
}

// Sum and maximum over the four lanes of a row.
__device__ inline float quad_sum(float value) {
  value += __shfl_xor_sync(0xffffffffu, value, 1);
  return value + __shfl_xor_sync(0xffffffffu, value, 2);
}
__device__ inline float quad_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

// Queries of the forward pass: running maximum, denominator and output.
template <int kWidth, int kTiles, int kChunk, bool kAlibi>
class ForwardRows {
  using Tile = SwizzledTile<kWidth>;
  static constexpr int kSteps = kWidth / 16;

 public:
  static constexpr int kRows = 16 * kTiles;

  // Query `row` of the tile is position first_query.
  __device__ ForwardRows(const AttentionSettings& settings, float slope, Tile queries, int row,
                         int first_query)
      : settings_(settings),
        slope_(slope),
        first_query_(first_query),
        keys_(FragmentReader<kWidth>::right_transposed(lane_.index)),
        values_(FragmentReader<kWidth>::right(lane_.index)) {
    const auto reader = FragmentReader<kWidth>::left(lane_.index);
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int k = 0; k < kSteps; ++k)
        query_[m][k] = reader.template load<FragmentA>(queries, row + 16 * m, 16 * k);
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) output_[m][n] = {};
      max_[m][0] = max_[m][1] = -INFINITY;
      sum_[m][0] = sum_[m][1] = 0;
    }
  }

  // Takes in kChunk keys, the first at `row` of the tiles and at position first_key.
  template <Pairs kPairs>
  __device__ void add_keys(Tile keys, Tile values, int row, int first_key) {
    FragmentC logits[kTiles][kChunk / 8];
    multiply_keys(keys, row, logits);
    if constexpr (kPairs == Pairs::SomeHidden) hide(first_key, logits);
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) soften<kPairs>(m, half, first_key, logits[m]);
    }
#pragma unroll
    for (int k = 0; k < kChunk / 16; ++k) {
      FragmentA weights[kTiles];
#pragma unroll
      for (int m = 0; m < kTiles; ++m) weights[m] = fragment_a(logits[m][2 * k], logits[m][2 * k + 1]);
#pragma unroll
      for (int n = 0; n < kSteps; ++n) {
        const auto value = values_.template load_turned<FragmentB16>(values, row + 16 * k, 16 * n);
#pragma unroll
        for (int m = 0; m < kTiles; ++m) {
          mma<0>(output_[m][2 * n], weights[m], value, output_[m][2 * n]);
          mma<1>(output_[m][2 * n + 1], weights[m], value, output_[m][2 * n + 1]);
        }
      }
    }
  }

  // `output` and `lse` are those of the first query; rows past the sequence are not written.
  __device__ void finish(Bfloat16* output, std::int64_t stride, float* lse) {
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float sum = quad_sum(sum_[m][half]);
        const int row = 16 * m + 8 * half + lane_.g;
        if (lane_.t == 0 && first_query_ + row < settings_.tokens)
          lse[row] = fmaf(max_[m][half], settings_.scale, kLn2 * log2f(sum));
        const float inverse = 1.0f / sum;
#pragma unroll
        for (int n = 0; n < kWidth / 8; ++n) {
          output_[m][n].at[2 * half] *= inverse;
          output_[m][n].at[2 * half + 1] *= inverse;
        }
      }
      store_rows<kWidth>(output + 16 * m * stride, stride, settings_.tokens - first_query_ - 16 * m,
                         lane_.index, output_[m]);
    }
  }

 private:
  __device__ void multiply_keys(Tile keys, int row, FragmentC (&logits)[kTiles][kChunk / 8]) {
#pragma unroll
    for (int n = 0; n < kChunk / 16; ++n) {
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
#pragma unroll
        for (int side = 0; side < 2; ++side) logits[m][2 * n + side] = bias(16 * n + 8 * side);
      }
#pragma unroll
      for (int k = 0; k < kSteps; ++k) {
        const auto key = keys_.template load<FragmentB16>(keys, row + 16 * n, 16 * k);
#pragma unroll
        for (int m = 0; m < kTiles; ++m) {
          mma<0>(logits[m][2 * n], query_[m][k], key, logits[m][2 * n]);
          mma<1>(logits[m][2 * n + 1], query_[m][k], key, logits[m][2 * n + 1]);
        }
      }
    }
  }

  __device__ FragmentC bias(int column) const {
    if constexpr (!kAlibi) return {};
    const float low = slope_ * float(column + 2 * lane_.t), high = low + slope_;
    return {{low, high, low, high}};
  }

  __device__ void hide(int first_key, FragmentC (&logits)[kTiles][kChunk / 8]) const {
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int distance = first_query_ + 16 * m + 8 * half + lane_.g - first_key - 2 * lane_.t;
#pragma unroll
        for (int n = 0; n < kChunk / 8; ++n) {
#pragma unroll
          for (int e = 0; e < 2; ++e) {
            // Keys of the future wrap around to large distances.
            if (unsigned(distance - 8 * n - e) >= unsigned(settings_.window))
              logits[m][n].at[2 * half + e] = -INFINITY;
          }
        }
      }
    }
  }

  // Logits of one row become weights; maximum, denominator and output follow.
  template <Pairs kPairs>
  __device__ void soften(int m, int half, int first_key, FragmentC (&logits)[kChunk / 8]) {
    float chunk_max = logits[0].at[2 * half];
#pragma unroll
    for (int n = 0; n < kChunk / 8; ++n)
      chunk_max = fmaxf(chunk_max, fmaxf(logits[n].at[2 * half], logits[n].at[2 * half + 1]));
    chunk_max = quad_max(chunk_max);
    const int row = first_query_ + 16 * m + 8 * half + lane_.g;
    const float shift = kAlibi ? slope_ * float(first_key - row) : 0.0f;
    const float before = max_[m][half], after = fmaxf(before, chunk_max + shift);
    max_[m][half] = after;
    // A row that has seen no key yet keeps weights of zero.
    const float origin = kPairs == Pairs::SomeHidden && after == -INFINITY ? 0.0f : after;
    const float factor = exp2_fast((before - origin) * settings_.scale_log2);
    const float offset = (shift - origin) * settings_.scale_log2;
    float sum = 0;
#pragma unroll
    for (int n = 0; n < kChunk / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float& x = logits[n].at[2 * half + e];
        x = exp2_fast(fmaf(x, settings_.scale_log2, offset));
        sum += x;
      }
    }
    sum_[m][half] = fmaf(sum_[m][half], factor, sum);
#pragma unroll
    for (int n = 0; n < kWidth / 8; ++n) {
      output_[m][n].at[2 * half] *= factor;
      output_[m][n].at[2 * half + 1] *= factor;
    }
  }

  const AttentionSettings& settings_;
  float slope_;
  Lane lane_;
  int first_query_;
  FragmentReader<kWidth> keys_, values_;
  FragmentA query_[kTiles][kSteps];
  FragmentC output_[kTiles][kWidth / 8];
  float max_[kTiles][2], sum_[kTiles][2];
};

// Queries of the backward pass: the gradient of q.
template <int kWidth, int kTiles, bool kAlibi>
class QueryGradientRows {
  using Tile = SwizzledTile<kWidth>;
  static constexpr int kSteps = kWidth / 16;

 public:
  static constexpr int kRows = 16 * kTiles;
  static constexpr int kChunk = 16;

  // lse and deltas are shared memory, of the first query.
  __device__ QueryGradientRows(const AttentionSettings& settings, float slope, Tile queries, Tile d_outputs,
                               const float* lse, const float* deltas, int row, int first_query)
      : settings_(settings),
        slope_(slope),
        first_query_(first_query),
        transposed_(FragmentReader<kWidth>::right_transposed(lane_.index)),
        straight_(FragmentReader<kWidth>::right(lane_.index)) {
    const auto reader = FragmentReader<kWidth>::left(lane_.index);
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int k = 0; k < kSteps; ++k) {
        query_[m][k] = reader.template load<FragmentA>(queries, row + 16 * m, 16 * k);
        d_output_[m][k] = reader.template load<FragmentA>(d_outputs, row + 16 * m, 16 * k);
      }
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) gradient_[m][n] = {};
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        lse_log2_[m][half] = kLog2E * lse[16 * m + 8 * half + lane_.g];
        delta_[m][half] = deltas[16 * m + 8 * half + lane_.g];
      }
    }
  }

  template <Pairs kPairs>
  __device__ void add_keys(Tile keys, Tile values, int row, int first_key) {
    FragmentC logits[kTiles][2], d_weights[kTiles][2];
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int side = 0; side < 2; ++side) {
        logits[m][side] = bias(8 * side);
        d_weights[m][side] = {{-delta_[m][0], -delta_[m][0], -delta_[m][1], -delta_[m][1]}};
      }
    }
#pragma unroll
    for (int k = 0; k < kSteps; ++k) {
      const auto key = transposed_.template load<FragmentB16>(keys, row, 16 * k);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) mma_add(logits[m], query_[m][k], key);
      const auto value = transposed_.template load<FragmentB16>(values, row, 16 * k);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) mma_add(d_weights[m], d_output_[m][k], value);
    }
    FragmentA d_logits[kTiles];
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int query = first_query_ + 16 * m + 8 * half + lane_.g;
        const int distance = query - first_key - 2 * lane_.t;
        const float shift = kAlibi ? slope_ * settings_.scale_log2 * float(first_key - query) : 0.0f;
        const float offset = shift - lse_log2_[m][half];
#pragma unroll
        for (int side = 0; side < 2; ++side) {
#pragma unroll
          for (int e = 0; e < 2; ++e) {
            float weight = exp2_fast(fmaf(logits[m][side].at[2 * half + e], settings_.scale_log2, offset));
            if (kPairs == Pairs::SomeHidden &&
                unsigned(distance - 8 * side - e) >= unsigned(settings_.window))
              weight = 0;
            d_weights[m][side].at[2 * half + e] *= weight;
          }
        }
      }
      d_logits[m] = fragment_a(d_weights[m][0], d_weights[m][1]);
    }
#pragma unroll
    for (int n = 0; n < kSteps; ++n) {
      const auto key = straight_.template load_turned<FragmentB16>(keys, row, 16 * n);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
        mma<0>(gradient_[m][2 * n], d_logits[m], key, gradient_[m][2 * n]);
        mma<1>(gradient_[m][2 * n + 1], d_logits[m], key, gradient_[m][2 * n + 1]);
      }
    }
  }

  // `to` is the first query's gradient.
  __device__ void finish(Bfloat16* to, std::int64_t stride) {
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
      const int first = first_query_ + 16 * m, existing = settings_.tokens - first;
      scale_rows(gradient_[m], settings_.scale);
      if (settings_.rotary.cosines != nullptr)
        turn_rows_back<kWidth>(gradient_[m], first, existing, lane_.index, settings_.rotary);
      store_rows<kWidth>(to + 16 * m * stride, stride, existing, lane_.index, gradient_[m]);
    }
  }

 private:
  __device__ FragmentC bias(int column) const {
    if constexpr (!kAlibi) return {};
    const float low = slope_ * float(column + 2 * lane_.t), high = low + slope_;
    return {{low, high, low, high}};
  }

  const AttentionSettings& settings_;
  float slope_;
  Lane lane_;
  int first_query_;
  FragmentReader<kWidth> transposed_, straight_;
  FragmentA query_[kTiles][kSteps], d_output_[kTiles][kSteps];
  FragmentC gradient_[kTiles][kWidth / 8];
  float lse_log2_[kTiles][2], delta_[kTiles][2];
};

// Keys of the backward pass: the gradients of k and v. Products are transposed, [keys, queries], so that
// their results are left factors without a detour.
template <int kWidth, int kTiles, bool kAlibi>
class KeyGradientRows {
  using Tile = SwizzledTile<kWidth>;
  static constexpr int kSteps = kWidth / 16;

 public:
  static constexpr int kRows = 16 * kTiles;
  static constexpr int kChunk = 16;

  __device__ KeyGradientRows(const AttentionSettings& settings, float slope, Tile keys, Tile values, int row,
                             int first_key)
      : settings_(settings),
        slope_(slope),
        first_key_(first_key),
        transposed_(FragmentReader<kWidth>::right_transposed(lane_.index)),
        straight_(FragmentReader<kWidth>::right(lane_.index)) {
    const auto reader = FragmentReader<kWidth>::left(lane_.index);
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int k = 0; k < kSteps; ++k) {
        key_[m][k] = reader.template load<FragmentA>(keys, row + 16 * m, 16 * k);
        value_[m][k] = reader.template load<FragmentA>(values, row + 16 * m, 16 * k);
      }
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) d_key_[m][n] = d_value_[m][n] = {};
    }
  }

  // Takes in kChunk queries, the first at `row` of the tiles and at position first_query. lse and deltas are
  // shared memory, of the tiles' row 0. Past the sequence all are zero, d_outputs too: nothing is added.
  template <Pairs kPairs>
  __device__ void add_queries(Tile queries, Tile d_outputs, const float* lse, const float* deltas, int row,
                              int first_query) {
    FragmentC logits[kTiles][2], d_weights[kTiles][2];
    float offset[2][2];
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const int column = 8 * side + 2 * lane_.t;
      const float2 lse_pair = *reinterpret_cast<const float2*>(lse + row + column);
      const float2 delta = *reinterpret_cast<const float2*>(deltas + row + column);
      offset[side][0] = -kLog2E * lse_pair.x;
      offset[side][1] = -kLog2E * lse_pair.y;
      if constexpr (kAlibi) {
        const float slope = slope_ * settings_.scale_log2;
        offset[side][0] -= slope * float(first_query + column - first_key_);
        offset[side][1] -= slope * float(first_query + column + 1 - first_key_);
      }
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
        logits[m][side] = bias(16 * m);
        d_weights[m][side] = {{-delta.x, -delta.y, -delta.x, -delta.y}};
      }
    }
#pragma unroll
    for (int k = 0; k < kSteps; ++k) {
      const auto query = transposed_.template load<FragmentB16>(queries, row, 16 * k);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) mma_add(logits[m], key_[m][k], query);
      const auto d_output = transposed_.template load<FragmentB16>(d_outputs, row, 16 * k);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) mma_add(d_weights[m], value_[m][k], d_output);
    }
    FragmentA weights[kTiles], d_logits[kTiles];
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int distance = first_query + 2 * lane_.t - (first_key_ + 16 * m + 8 * half + lane_.g);
#pragma unroll
        for (int side = 0; side < 2; ++side) {
#pragma unroll
          for (int e = 0; e < 2; ++e) {
            float& x = logits[m][side].at[2 * half + e];
            x = exp2_fast(fmaf(x, settings_.scale_log2, offset[side][e]));
            if (kPairs == Pairs::SomeHidden &&
                unsigned(distance + 8 * side + e) >= unsigned(settings_.window))
              x = 0;
            d_weights[m][side].at[2 * half + e] *= x;
          }
        }
      }
      weights[m] = fragment_a(logits[m][0], logits[m][1]);
      d_logits[m] = fragment_a(d_weights[m][0], d_weights[m][1]);
    }
#pragma unroll
    for (int n = 0; n < kSteps; ++n) {
      const auto d_output = straight_.template load_turned<FragmentB16>(d_outputs, row, 16 * n);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
        mma<0>(d_value_[m][2 * n], weights[m], d_output, d_value_[m][2 * n]);
        mma<1>(d_value_[m][2 * n + 1], weights[m], d_output, d_value_[m][2 * n + 1]);
      }
      const auto query = straight_.template load_turned<FragmentB16>(queries, row, 16 * n);
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
        mma<0>(d_key_[m][2 * n], d_logits[m], query, d_key_[m][2 * n]);
        mma<1>(d_key_[m][2 * n + 1], d_logits[m], query, d_key_[m][2 * n + 1]);
      }
    }
  }

  // `d_keys` and `d_values` are those of the first key.
  __device__ void finish(Bfloat16* d_keys, Bfloat16* d_values, std::int64_t stride) {
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
      const int first = first_key_ + 16 * m, existing = settings_.tokens - first;
      scale_rows(d_key_[m], settings_.scale);
      if (settings_.rotary.cosines != nullptr)
        turn_rows_back<kWidth>(d_key_[m], first, existing, lane_.index, settings_.rotary);
      store_rows<kWidth>(d_keys + 16 * m * stride, stride, existing, lane_.index, d_key_[m]);
      store_rows<kWidth>(d_values + 16 * m * stride, stride, existing, lane_.index, d_value_[m]);
    }
  }

 private:
  // The row part of the bias, from the first key on.
  __device__ FragmentC bias(int row) const {
    if constexpr (!kAlibi) return {};
    const float low = slope_ * float(row + lane_.g), high = low + 8 * slope_;
    return {{low, low, high, high}};
  }

  const AttentionSettings& settings_;
  float slope_;
  Lane lane_;
  int first_key_;
  FragmentReader<kWidth> transposed_, straight_;
  FragmentA key_[kTiles][kSteps], value_[kTiles][kSteps];
  FragmentC d_key_[kTiles][kWidth / 8], d_value_[kTiles][kWidth / 8];
};

}  // namespace sparsescope::kernels
