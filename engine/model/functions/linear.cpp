// The mixed-precision linear map and its backward pass.
#include "engine/model/functions/linear.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "engine/model/functions/branch.h"
#include "engine/model/functions/gradient.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

at::Tensor as_matrix(const at::Tensor& x, at::ScalarType type) {
  return x.reshape({-1, x.size(-1)}).to(type).contiguous();
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  // `leaf` is an input so that a gradient is asked for; nothing is returned for it.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& leaf,
                            const at::Tensor& gemm, at::ScalarType out) {
    const at::Tensor rows = as_matrix(x, gemm.scalar_type());  // [n,inputs]
    context->save_for_backward({rows, leaf, gemm});
    context->saved_data["type"] = static_cast<std::int64_t>(x.scalar_type());
    context->saved_data["shape"] = x.sizes().vec();
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = gemm.size(0);
    return product(rows, gemm.t(), out).view(shape);
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &leaf = saved[1], &gemm = saved[2];
    const at::Tensor dy = as_matrix(upstream[0], gemm.scalar_type());  // [n,outputs]
    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
      dx = product(dy, gemm, type).view(context->saved_data["shape"].toIntVector());
    }
    if (context->needs_input_grad(1)) on_branch({dy, rows}, [&] { add_weight_gradient(leaf, dy, rows); });
    return {dx, {}, {}, {}};
  }
};

}  // namespace

at::Tensor product(const at::Tensor& a, const at::Tensor& b, at::ScalarType out) {
  if (a.scalar_type() == out) return at::mm(a, b);
  if (a.is_cuda() && out == at::kFloat) return at::mm(a, b, out);
  return at::mm(a.to(at::kFloat), b.to(at::kFloat)).to(out);
}

void add_weight_gradient(const at::Tensor& leaf, const at::Tensor& dy, const at::Tensor& x) {
  at::Tensor& gradient = gradient_of(leaf);
  if (dy.is_cuda() && dy.scalar_type() != gradient.scalar_type()) {
    at::addmm_out(gradient, gradient, dy.t(), x, gradient.scalar_type());
  } else {
    gradient.addmm_(dy.t().to(gradient.scalar_type()), x.to(gradient.scalar_type()));
  }
}

at::Tensor linear(const at::Tensor& x, const Weight& weight, at::ScalarType out) {
  if (weight.gemm.is_same(weight.value)) return at::linear(x, weight.value).to(out);
  return LinearFunction::apply(x, weight.value, weight.gemm, out);
}

}  // namespace sparsescope::model
