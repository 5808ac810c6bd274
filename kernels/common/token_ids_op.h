// Ids of a tensor as kernels read them.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/trace/error.h"
#include "kernels/common/token_ids.h"

namespace sparsescope::kernels {

// ids [B,T] i64 whose rows are contiguous and may be part of longer ones.
inline TokenIds token_ids(const at::Tensor& ids) {
  check(ids.dim() == 2 && ids.scalar_type() == at::kLong && (ids.size(1) == 1 || ids.stride(1) == 1),
        "a kernel wants ids [B,T] of type i64 with contiguous rows");
  return {ids.const_data_ptr<std::int64_t>(), ids.size(0), ids.size(1),
          ids.size(0) == 1 ? ids.size(1) : ids.stride(0)};
}

}  // namespace sparsescope::kernels
