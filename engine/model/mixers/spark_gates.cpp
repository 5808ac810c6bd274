#include "engine/model/mixers/spark_gates.h"

#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "engine/model/mixers/attention.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::model {

at::Tensor scope_mask(const at::Tensor& reasons, const at::Tensor& like) {
  return at::zeros(reasons.sizes(), like.options())
      .masked_fill_(reasons.eq(0), -std::numeric_limits<double>::infinity())
      .unsqueeze(1);
}

at::Tensor has_soft_gate(const at::Tensor& reasons) {
  const at::Tensor is_free =
      reasons.eq(0).logical_or_(reasons.bitwise_and(kernels::kDirect).ne(0));  // [B,T,T]
  return is_free.tril(-1);
}

at::Tensor has_scope_gate(const at::Tensor& reasons, experiments::GatePairs pairs) {
  return pairs == experiments::GatePairs::All ? reasons.ne(0) : reasons.bitwise_and(kernels::kDirect).ne(0);
}

at::Tensor log_soft_gate(const at::Tensor& gap, const at::Tensor& is_soft) {
  return at::log_sigmoid(gap).masked_fill(is_soft.logical_not(), 0) +
         window_mask(gap.size(-1), gap.size(-1), gap.options());
}

}  // namespace sparsescope::model
