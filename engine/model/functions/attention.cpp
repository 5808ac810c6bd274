#include "engine/model/functions/attention.h"

#include <torch/csrc/autograd/custom_function.h>

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Longer contexts read every key and query tile more than once: they are turned beforehand, in place.
constexpr std::int64_t kLongestTurnedInside = 256;

bool is_turned_before(const at::Tensor& qkv, const kernels::AttentionForm& form) {
  return form.cosines.defined() && qkv.size(1) > kLongestTurnedInside;
}

kernels::AttentionForm without_rotation(kernels::AttentionForm form) {
  form.cosines = form.sines = at::Tensor();
  return form;
}

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const kernels::AttentionForm* form) {
    const bool is_before = is_turned_before(qkv, *form);
    if (is_before) kernels::rope(qkv, *form, kernels::RotaryTurn::Forward);
    const kernels::AttentionOutput made =
        kernels::attention(qkv, is_before ? without_rotation(*form) : *form);
    context->save_for_backward({qkv, made.output, made.lse, form->slopes, form->cosines, form->sines});
    context->saved_data["heads"] = form->heads;
    context->saved_data["scale"] = form->scale;
    context->saved_data["window"] = form->window;
    context->saved_data["layout"] = static_cast<std::int64_t>(form->layout);
    return made.output;
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const kernels::AttentionForm form{
        context->saved_data["heads"].toInt(),
        context->saved_data["scale"].toDouble(),
        context->saved_data["window"].toInt(),
        saved[3],
        saved[4],
        saved[5],
        static_cast<kernels::RotaryLayout>(context->saved_data["layout"].toInt())};
    const bool is_before = is_turned_before(saved[0], form);
    const at::Tensor d_qkv = kernels::attention_backward(
        saved[0], {saved[1], saved[2]}, upstream[0].contiguous(), is_before ? without_rotation(form) : form);
    if (is_before) kernels::rope(d_qkv, form, kernels::RotaryTurn::Back);
    return {d_qkv, {}};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const kernels::AttentionForm& form) {
  return AttentionFunction::apply(qkv, &form);
}

}  // namespace sparsescope::model
