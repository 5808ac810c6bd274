#include "engine/model/functions/spark.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

#include "engine/model/functions/gradient.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// What the backward pass needs beside tensors.
struct Kept : torch::CustomClassHolder {
  kernels::SparkForm form;
};

struct SparkFunction : torch::autograd::Function<SparkFunction> {
  // What may be undefined comes by pointer: it is no input that gradients flow to.
  static tensor_list forward(AutogradContext* context, const at::Tensor& qkv, const at::Tensor& declarations,
                             const at::Tensor& addresses, const at::Tensor& theta, const at::Tensor& ids,
                             const at::Tensor& weight, const kernels::SparkForm* form,
                             const kernels::GroupedIds* groups, kernels::SparkGradients gradients,
                             const at::Tensor* row_gates) {
    const kernels::SparkMade made = kernels::spark_forward(
        {qkv, declarations, addresses.detach(), theta.detach(), ids}, *form, gradients, *row_gates);
    if (gradients == kernels::SparkGradients::Wanted) {
      context->save_for_backward({qkv, declarations, addresses, theta, ids, weight, made.output,
                                  made.lse_hard, made.soft_output, made.lse_soft, made.direct, made.scope,
                                  made.log_gates, groups->order, groups->sorted_ids, groups->offsets});
      const auto kept = c10::make_intrusive<Kept>();
      kept->form = *form;
      context->saved_data["form"] = c10::IValue::make_capsule(kept);
    }
    context->mark_non_differentiable({made.row_counts, made.row_moments});
    return {made.output, made.row_counts, made.row_moments};
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const auto kept = c10::static_intrusive_pointer_cast<Kept>(context->saved_data["form"].toCapsule());
    const at::Tensor &addresses = saved[2], &theta = saved[3];
    const kernels::SparkTensors tensors{saved[0], saved[1], addresses.detach(), theta.detach(), saved[4]};
    kernels::SparkMade made;
    made.output = saved[6];
    made.lse_hard = saved[7];
    made.soft_output = saved[8];
    made.lse_soft = saved[9];
    made.direct = saved[10];
    made.scope = saved[11];
    made.log_gates = saved[12];
    const kernels::SparkGradientsMade gradients = kernels::spark_backward(
        tensors, made, kept->form, upstream[0].contiguous(), saved[5], gradient_of(theta));
    kernels::embedding_backward(gradients.address_rows, tensors.ids, {saved[13], saved[14], saved[15]},
                                gradient_of(addresses));
    return {gradients.qkv, gradients.declarations, {}, {}, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

SparkOutput spark(const kernels::SparkTensors& tensors, const kernels::SparkForm& form,
                  const kernels::GroupedIds& groups, const at::Tensor& weight, const at::Tensor& row_gates) {
  const auto gradients =
      c10::GradMode::is_enabled() ? kernels::SparkGradients::Wanted : kernels::SparkGradients::None;
  const tensor_list made =
      SparkFunction::apply(tensors.qkv, tensors.declarations, tensors.addresses, tensors.theta, tensors.ids,
                           weight, &form, &groups, gradients, &row_gates);
  return {made[0], made[1], made[2]};
}

}  // namespace sparsescope::model
