// Embedding, grouping of ids and the table's gradient on the CPU: what the kernels are compared with.
#include <algorithm>
#include <vector>

#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {

void embed_reference(const float* table, TokenIds ids, std::int64_t width, float* output) {
  for (std::int64_t n = 0; n < ids.count(); ++n)
    std::copy_n(table + ids[n] * width, width, output + n * width);
}

void sort_ids_reference(TokenIds ids, std::int64_t vocabulary, IdGroups groups) {
  std::fill_n(groups.offsets, vocabulary + 1, 0);
  for (std::int64_t n = 0; n < ids.count(); ++n) ++groups.offsets[ids[n] + 1];
  for (std::int64_t id = 0; id < vocabulary; ++id) groups.offsets[id + 1] += groups.offsets[id];
  std::vector<std::int32_t> next(groups.offsets, groups.offsets + vocabulary);
  for (std::int64_t n = 0; n < ids.count(); ++n) {
    const std::int32_t place = next[ids[n]]++;
    groups.order[place] = std::int32_t(n);
    groups.sorted_ids[place] = std::int32_t(ids[n]);
  }
}

void embedding_backward_reference(const float* d_rows, TokenIds ids, std::int64_t vocabulary,
                                  std::int64_t width, float* d_table) {
  std::vector<double> sums(vocabulary * width, 0.0);
  for (std::int64_t n = 0; n < ids.count(); ++n) {
    for (std::int64_t c = 0; c < width; ++c) sums[ids[n] * width + c] += d_rows[n * width + c];
  }
  for (std::int64_t i = 0; i < vocabulary * width; ++i) d_table[i] = float(d_table[i] + sums[i]);
}

}  // namespace sparsescope::kernels
