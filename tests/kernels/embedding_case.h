// A case of embedding, grouping and the table's gradient on the host, shared by the CPU and GPU tests.
#pragma once

#include "kernels/embedding/embedding.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {

struct EmbeddingShape {
  std::int64_t batch = 1, length = 1;  // B, T; rows of ids are T + 1 long
  std::int64_t vocabulary = 1, width = 1;
};

struct EmbeddingCase {
  EmbeddingShape shape;
  std::vector<std::int64_t> ids;      // [B,T+1]
  std::vector<float> table, d_rows;   // [V,C], [N,C]
  std::vector<float> d_table_before;  // [V,C]

  std::int64_t tokens() const { return shape.batch * shape.length; }
  TokenIds view(const std::int64_t* data) const {
    return {data, shape.batch, shape.length, shape.length + 1};
  }
};

struct EmbeddingResult {
  std::vector<float> rows, d_table;
  std::vector<std::int32_t> order, sorted_ids, offsets;

  explicit EmbeddingResult(const EmbeddingCase& made)
      : rows(made.tokens() * made.shape.width, NAN),
        d_table(made.d_table_before),
        order(made.tokens(), -1),
        sorted_ids(made.tokens(), -1),
        offsets(made.shape.vocabulary + 1, -1) {}
  IdGroups groups() { return {order.data(), sorted_ids.data(), offsets.data()}; }
};

inline EmbeddingCase make_embedding_case(EmbeddingShape shape, std::uint32_t seed) {
  EmbeddingCase made{shape, zipfian_ids(shape.batch * (shape.length + 1), shape.vocabulary, seed),
                     normal_floats(shape.vocabulary * shape.width, seed + 1),
                     normal_floats(shape.batch * shape.length * shape.width, seed + 2),
                     normal_floats(shape.vocabulary * shape.width, seed + 3)};
  // What stands behind each row must not be read.
  for (std::int64_t b = 0; b < shape.batch; ++b) made.ids[(b + 1) * (shape.length + 1) - 1] = 1 << 30;
  return made;
}

inline EmbeddingResult run_reference(const EmbeddingCase& made) {
  EmbeddingResult result(made);
  const TokenIds ids = made.view(made.ids.data());
  embed_reference(made.table.data(), ids, made.shape.width, result.rows.data());
  sort_ids_reference(ids, made.shape.vocabulary, result.groups());
  embedding_backward_reference(made.d_rows.data(), ids, made.shape.vocabulary, made.shape.width,
                               result.d_table.data());
  return result;
}

}  // namespace sparsescope::kernels
