// Softmax cross-entropy of rows of logits with its gradient in the same pass, for chunks of a batch. The
// linear layer that makes the logits is somebody else's.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"
#include "kernels/common/token_ids.h"

namespace sparsescope::kernels {

inline constexpr std::int64_t kIgnoredTarget = -100;  // a row that predicts nothing

// inverse_count [1] fp32 = 1 / number of targets that are not kIgnoredTarget, 0 when there is none;
// non_finite [1] i32 = 0, which the rest of the step counts up. Once a step, before the chunks.
void count_targets(TokenIds targets, float* inverse_count, std::int32_t* non_finite, Stream stream);

// Rows first .. first+rows-1 of the batch.
struct CrossEntropyChunk {
  TokenIds targets;             // of the whole batch; each kIgnoredTarget or in 0 .. V-1
  std::int64_t first = 0;       // first row of the chunk
  std::int64_t rows = 0;        // in the chunk
  std::int64_t vocabulary = 0;  // V, also the row stride of logits and d_logits
};

struct CrossEntropyOutput {
  float* nll = nullptr;                // [rows] of the chunk: -log softmax[target], 0 where ignored
  Bfloat16* d_logits = nullptr;        // [rows,V] (softmax - onehot) * inverse_count, 0 where ignored
  std::int32_t* non_finite = nullptr;  // [1] += predicting rows with a logit that is NaN or infinite
};

// logits [rows,V] of the chunk, fp32 or bf16 (d_logits may then be the logits), fp32 inside. Each logit is
// read once for V <= 8192 (the row stays in registers), else twice. Throws std::runtime_error when a launch
// fails.
void cross_entropy(const float* logits, CrossEntropyChunk chunk, const float* inverse_count,
                   CrossEntropyOutput output, Stream stream);
void cross_entropy(const Bfloat16* logits, CrossEntropyChunk chunk, const float* inverse_count,
                   CrossEntropyOutput output, Stream stream);

// loss [1] = sum of nll [rows] times inverse_count, added in a fixed order.
void mean_nll(const float* nll, std::int64_t rows, const float* inverse_count, float* loss, Stream stream);

// The same on the host in fp64.
void count_targets_reference(TokenIds targets, float* inverse_count, std::int32_t* non_finite);
void cross_entropy_reference(const float* logits, CrossEntropyChunk chunk, const float* inverse_count,
                             CrossEntropyOutput output);
void mean_nll_reference(const float* nll, std::int64_t rows, const float* inverse_count, float* loss);

}  // namespace sparsescope::kernels
