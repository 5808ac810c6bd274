// Rows of a table by token id, the ids grouped by value, and the table's gradient summed in a fixed order.
#pragma once

#include <cstdint>

#include "kernels/common/stream.h"
#include "kernels/common/token_ids.h"

namespace sparsescope::kernels {

// output [N,width] fp32 = table [V,width] fp32, row ids[n]. Every id is in 0 .. V-1: whoever makes batches
// holds that. N * width < 2^32. Throws std::runtime_error when a launch fails.
void embed(const float* table, TokenIds ids, std::int64_t width, float* output, Stream stream);

// Tokens grouped by id, stable: ascending ids, inside an id ascending n.
struct IdGroups {
  std::int32_t* order = nullptr;       // [N] token n at each place
  std::int32_t* sorted_ids = nullptr;  // [N] its id
  std::int32_t* offsets = nullptr;     // [V+1] id v has the places offsets[v] .. offsets[v+1]-1
};

// One launch; N < 2^31. scratch: sort_ids_scratch(N) values. Depends on nothing but ids, so it
// can run beside the forward pass.
void sort_ids(TokenIds ids, std::int64_t vocabulary, IdGroups groups, std::int64_t* scratch, Stream stream);
inline std::int64_t sort_ids_scratch(std::int64_t tokens) { return tokens; }

// d_table [V,width] += sum of d_rows [N,width] fp32 over the tokens of each id. Sorted places are cut into
// segments of kEmbeddingSegment, whatever the ids; what crosses a cut goes through scratch
// (embedding_backward_scratch floats) and is added by a second launch in order of place.
void embedding_backward(const float* d_rows, IdGroups groups, std::int64_t tokens, std::int64_t width,
                        float* d_table, float* scratch, Stream stream);
inline constexpr std::int64_t kEmbeddingSegment = 32;
inline std::int64_t embedding_backward_scratch(std::int64_t tokens, std::int64_t width) {
  return (tokens + kEmbeddingSegment - 1) / kEmbeddingSegment * 2 * width;
}

// The same on the host; the gradient is added in fp64 and rounded once.
void embed_reference(const float* table, TokenIds ids, std::int64_t width, float* output);
void sort_ids_reference(TokenIds ids, std::int64_t vocabulary, IdGroups groups);
void embedding_backward_reference(const float* d_rows, TokenIds ids, std::int64_t vocabulary,
                                  std::int64_t width, float* d_table);

}  // namespace sparsescope::kernels
