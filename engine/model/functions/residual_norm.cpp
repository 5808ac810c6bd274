#include "engine/model/functions/residual_norm.h"

#include <torch/csrc/autograd/custom_function.h>

#include "engine/model/functions/gradient.h"
#include "kernels/rms_norm/rms_norm_op.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

at::Tensor rows_of(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}).contiguous(); }

struct ResidualNormFunction : torch::autograd::Function<ResidualNormFunction> {
  static tensor_list forward(AutogradContext* context, const at::Tensor& stream, const at::Tensor& delta,
                             const at::Tensor& gain, double eps) {
    context->set_materialize_grads(false);
    const kernels::NormedStream made =
        kernels::residual_rms_norm(rows_of(stream), rows_of(delta), gain.detach(), eps);
    context->save_for_backward({made.stream, made.rstd, gain});
    return {made.stream.view(stream.sizes()), made.normed.view(stream.sizes())};
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor &stream = saved[0], &rstd = saved[1], &gain = saved[2];
    const at::Tensor d_stream = upstream[0].defined() ? rows_of(upstream[0]) : at::Tensor();
    const kernels::StreamGradient gradient = kernels::residual_rms_norm_backward(
        {stream, {}, rstd}, gain.detach(), d_stream, rows_of(upstream[1]), gradient_of(gain));
    const at::IntArrayRef shape = upstream[1].sizes();
    return {gradient.stream.view(shape), gradient.delta.view(shape), {}, {}};
  }
};

// Without a delta the stream is its input, which is no output of a function.
struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& stream, const at::Tensor& gain,
                            double eps) {
    const at::Tensor rows = rows_of(stream);
    const kernels::NormedStream made = kernels::residual_rms_norm(rows, {}, gain.detach(), eps);
    context->save_for_backward({rows, made.rstd, gain});
    return made.normed.view(stream.sizes());
  }

  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor& gain = saved[2];
    const kernels::StreamGradient gradient = kernels::residual_rms_norm_backward(
        {saved[0], {}, saved[1]}, gain.detach(), {}, rows_of(upstream[0]), gradient_of(gain));
    return {gradient.stream.view(upstream[0].sizes()), {}, {}};
  }
};

}  // namespace

ResidualNorm residual_norm(const at::Tensor& stream, const at::Tensor& delta, const at::Tensor& gain,
                           double eps) {
  if (!delta.defined()) return {stream, NormFunction::apply(stream, gain, eps)};
  const tensor_list made = ResidualNormFunction::apply(stream, delta, gain, eps);
  return {made[0], made[1]};
}

}  // namespace sparsescope::model
