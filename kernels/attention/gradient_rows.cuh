// What one warp does in the backward pass: 16 kTiles queries walk over keys for the gradient of q, or 16
// kTiles keys walk over queries for the gradients of k and v. Everything stays in registers; who loads the
// tiles is decided in attention_backward.cu. Device code only.
#pragma once

#include "kernels/attention/attention_rows.cuh"

namespace sparsescope::kernels {

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
