#include "engine/evaluate/logits.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>

#include "engine/trace/error.h"

namespace sparsescope::evaluate {

at::Tensor ids_tensor(const std::vector<std::int32_t>& ids, std::int64_t rows, std::int64_t columns,
                      at::Device device) {
  check(static_cast<std::int64_t>(ids.size()) == rows * columns, "the ids do not fill the tensor");
  const at::Tensor host = at::from_blob(const_cast<std::int32_t*>(ids.data()), {rows, columns},
                                        at::TensorOptions().dtype(at::kInt));
  return host.to(at::kLong).to(device);  // the first conversion copies
}

at::Tensor token_nll(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  return -at::log_softmax(wide, -1).gather(-1, targets.unsqueeze(-1)).squeeze(-1).to(at::kCPU, at::kDouble);
}

}  // namespace sparsescope::evaluate
