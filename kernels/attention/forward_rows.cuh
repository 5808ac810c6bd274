// What one warp does in the forward pass: 16 kTiles queries walk over keys. Everything stays in registers;
// who loads the tiles is decided in attention_forward.cu. Device code only.
#pragma once

#include "kernels/attention/attention_rows.cuh"

namespace sparsescope::kernels {

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
    move_maxima<kPairs>(first_key, logits);
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

  // The rest of the bias of a row, raw.
  __device__ float shift(int m, int half, int first_key) const {
    if constexpr (!kAlibi) return 0;
    return slope_ * float(first_key - (first_query_ + 16 * m + 8 * half + lane_.g));
  }
  // What a row's logits are taken from: its maximum, roughly. A row that has seen no key yet keeps weights of
  // zero.
  template <Pairs kPairs>
  __device__ float origin(int m, int half) const {
    return kPairs == Pairs::SomeHidden && max_[m][half] == -INFINITY ? 0.0f : max_[m][half];
  }

  // A maximum moves only when it must: weights may reach 2^8 meanwhile, which costs no precision and saves
  // nearly all rescaling. Each row decides for itself; rows that stay are multiplied by exactly 1.
  template <Pairs kPairs>
  __device__ void move_maxima(int first_key, const FragmentC (&logits)[kTiles][kChunk / 8]) {
    float before[kTiles][2];
    bool moved = false;
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float chunk_max = logits[m][0].at[2 * half];
#pragma unroll
        for (int n = 0; n < kChunk / 8; ++n)
          chunk_max = fmaxf(chunk_max, fmaxf(logits[m][n].at[2 * half], logits[m][n].at[2 * half + 1]));
        chunk_max = quad_max(chunk_max) + shift(m, half, first_key);
        before[m][half] = max_[m][half];
        if (chunk_max > before[m][half] + settings_.headroom) max_[m][half] = chunk_max, moved = true;
      }
    }
    if (!__any_sync(0xffffffffu, moved)) return;
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float factor = exp2_fast((before[m][half] - origin<kPairs>(m, half)) * settings_.scale_log2);
        sum_[m][half] *= factor;
#pragma unroll
        for (int n = 0; n < kWidth / 8; ++n) {
          output_[m][n].at[2 * half] *= factor;
          output_[m][n].at[2 * half + 1] *= factor;
        }
      }
    }
  }

  // Logits of one row become weights and enter the denominator.
  template <Pairs kPairs>
  __device__ void soften(int m, int half, int first_key, FragmentC (&logits)[kChunk / 8]) {
    const float offset = (shift(m, half, first_key) - origin<kPairs>(m, half)) * settings_.scale_log2;
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
    sum_[m][half] += sum;
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

}  // namespace sparsescope::kernels
