#include "engine/model/functions/gelu.h"

#include <torch/csrc/autograd/custom_function.h>

#include "kernels/gelu/gelu_op.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct GeluFunction : torch::autograd::Function<GeluFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    context->save_for_backward({input});
    return kernels::gelu(input);
  }
  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    return {kernels::gelu_backward(context->get_saved_variables()[0], upstream[0].contiguous())};
  }
};

}  // namespace

at::Tensor gelu(const at::Tensor& input) { return GeluFunction::apply(input.contiguous()); }

}  // namespace sparsescope::model
