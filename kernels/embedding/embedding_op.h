// Rows of a table by id, and the table's gradient, on tensors.
#pragma once

#include <ATen/core/Tensor.h>

namespace sparsescope::kernels {

// ids [B,T] i64, rows of any stride; table [V,C] fp32. [B*T,C] fp32.
at::Tensor embed(const at::Tensor& table, const at::Tensor& ids);

// Tokens grouped by id; made once a batch, used by every table that the ids read.
struct GroupedIds {
  at::Tensor order, sorted_ids;  // [N] i32
  at::Tensor offsets;            // [V+1] i32
};
GroupedIds group_ids(const at::Tensor& ids, std::int64_t vocabulary);

// gradient [V,C] fp32 += the rows d_rows [N,C] fp32 of each id.
void embedding_backward(const at::Tensor& d_rows, const at::Tensor& ids, const GroupedIds& groups,
                        const at::Tensor& gradient);

}  // namespace sparsescope::kernels
