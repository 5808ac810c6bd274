// Rows of a table by token id, differentiable; the gradient is summed in a fixed order.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/embedding/embedding_op.h"

namespace sparsescope::model {

// ids [B,T] i64, table [V,C] fp32 (a leaf): [B,T,C] fp32. The gradient is added to table.grad(); `groups` are
// those of ids, needed where gradients are.
at::Tensor embedding(const at::Tensor& ids, const at::Tensor& table, const kernels::GroupedIds& groups);

}  // namespace sparsescope::model
