#include "engine/model/functions/cross_entropy.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "engine/model/functions/linear.h"
#include "kernels/cross_entropy/cross_entropy_op.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Logits of a chunk: 16 Mi elements, 64 MiB in fp32. Bigger chunks than the L2 cache holds, smaller ones
// leave the matrix products too few tiles.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 24;

struct HeadLossFunction : torch::autograd::Function<HeadLossFunction> {
  static tensor_list forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& leaf,
                             const at::Tensor& gemm, const at::Tensor& targets, bool needs_gradient) {
    const at::Tensor rows = hidden.reshape({-1, hidden.size(-1)}).contiguous();  // [N,C]
    const std::int64_t N = rows.size(0), V = gemm.size(0);
    const std::int64_t chunk = std::clamp<std::int64_t>(kChunkElements / V, 1, N);
    const kernels::TargetCount count = kernels::count_targets(targets);
    const at::Tensor nll = at::empty({N}, rows.options().dtype(at::kFloat));
    const at::Tensor d_rows = needs_gradient ? at::empty_like(rows) : at::Tensor();
    for (std::int64_t first = 0; first < N; first += chunk) {
      const std::int64_t n = std::min(chunk, N - first);
      const at::Tensor part = rows.narrow(0, first, n);
      const at::Tensor logits = product(part, gemm.t(), at::kFloat);  // [n,V]
      const at::Tensor d_logits = needs_gradient ? at::empty({n, V}, rows.options()) : at::Tensor();
      kernels::cross_entropy(logits, targets, first, count, nll.narrow(0, first, n), d_logits);
      if (!needs_gradient) continue;
      at::Tensor d_part = d_rows.narrow(0, first, n);
      at::mm_out(d_part, d_logits, gemm);
      add_weight_gradient(leaf, d_logits, part);
    }
    if (needs_gradient) context->save_for_backward({d_rows.view(hidden.sizes())});
    context->mark_non_differentiable({count.non_finite});
    return {kernels::mean_nll(nll, count), count.non_finite};
  }

  static tensor_list backward(AutogradContext* context, tensor_list) {
    return {context->get_saved_variables()[0], {}, {}, {}, {}};
  }
};

}  // namespace

HeadLoss head_loss(const at::Tensor& hidden, const Weight& head, const at::Tensor& targets) {
  const bool needs_gradient = c10::GradMode::is_enabled();  // off inside a function's forward
  const tensor_list made = HeadLossFunction::apply(hidden, head.value, head.gemm, targets, needs_gradient);
  return {made[0], made[1]};
}

}  // namespace sparsescope::model
