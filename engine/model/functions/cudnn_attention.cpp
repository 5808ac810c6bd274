#include "engine/model/functions/cudnn_attention.h"

#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Queries, keys and values [B,H,T,D] of packed [B,T,3C], without a copy.
at::Tensor part_of(const at::Tensor& qkv, std::int64_t heads, std::int64_t part) {
  return qkv.view({qkv.size(0), qkv.size(1), 3, heads, -1}).select(2, part).transpose(1, 2);
}

struct CudnnAttentionFunction : torch::autograd::Function<CudnnAttentionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const kernels::AttentionForm* form) {
    if (form->cosines.defined()) kernels::rope(qkv, *form, kernels::RotaryTurn::Forward);
    const auto made = at::_scaled_dot_product_cudnn_attention(
        part_of(qkv, form->heads, 0), part_of(qkv, form->heads, 1), part_of(qkv, form->heads, 2),
        /*attn_bias=*/{}, /*compute_log_sumexp=*/true, /*dropout_p=*/0, /*is_causal=*/true,
        /*return_debug_mask=*/false, form->scale);
    const at::Tensor& output = std::get<0>(made);  // [B,H,T,D]
    context->save_for_backward(
        {qkv, output, std::get<1>(made), std::get<6>(made), std::get<7>(made), form->cosines, form->sines});
    context->saved_data["heads"] = form->heads;
    context->saved_data["scale"] = form->scale;
    context->saved_data["layout"] = static_cast<std::int64_t>(form->layout);
    return output.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), -1});
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor& qkv = saved[0];
    kernels::AttentionForm form;
    form.heads = context->saved_data["heads"].toInt();
    form.scale = context->saved_data["scale"].toDouble();
    form.cosines = saved[5];
    form.sines = saved[6];
    form.layout = static_cast<kernels::RotaryLayout>(context->saved_data["layout"].toInt());
    const std::int64_t B = qkv.size(0), T = qkv.size(1);
    const at::Tensor d_output =
        upstream[0].contiguous().view({B, T, form.heads, -1}).transpose(1, 2);  // [B,H,T,D]
    const auto [dq, dk, dv] = at::_scaled_dot_product_cudnn_attention_backward(
        d_output, part_of(qkv, form.heads, 0), part_of(qkv, form.heads, 1), part_of(qkv, form.heads, 2),
        saved[1], saved[2], saved[3], saved[4], /*attn_bias=*/{}, /*cum_seq_q=*/{}, /*cum_seq_k=*/{}, T, T,
        /*dropout_p=*/0,
        /*is_causal=*/true, form.scale);
    const at::Tensor d_qkv =
        at::stack({dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2)}, 2).view_as(qkv);
    if (form.cosines.defined()) kernels::rope(d_qkv, form, kernels::RotaryTurn::Back);
    return {d_qkv, {}};
  }
};

}  // namespace

bool has_cudnn_attention(const kernels::AttentionForm& form, std::int64_t tokens) {
  return !form.slopes.defined() && form.window >= tokens;
}

at::Tensor cudnn_attention(const at::Tensor& qkv, const kernels::AttentionForm& form) {
  return CudnnAttentionFunction::apply(qkv, &form);
}

}  // namespace sparsescope::model
