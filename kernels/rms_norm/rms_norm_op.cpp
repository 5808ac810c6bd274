// Checks, allocation, choice of kernel or reference.
#include "kernels/rms_norm/rms_norm_op.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "kernels/common/dispatch_op.h"
#include "kernels/rms_norm/rms_norm.h"

namespace sparsescope::kernels {

NormedStream residual_rms_norm(const at::Tensor& stream, const at::Tensor& delta, const at::Tensor& gain,
                               double eps) {
  check(stream.dim() == 2 && (!delta.defined() || delta.sizes() == stream.sizes()),
        "residual_rms_norm wants a stream [N,C] and a delta of its shape");
  const RmsNormShape shape{stream.size(0), stream.size(1)};
  const NormedStream made{delta.defined() ? at::empty_like(stream) : stream,
                          at::empty_like(stream, stream.options().dtype(at::kBFloat16)),
                          at::empty({shape.tokens}, stream.options())};
  const RmsNormForward arrays{data_of<float>(stream),         data_of<Bfloat16>(delta),
                              data_of<float>(gain),           data_of<float>(made.stream),
                              data_of<Bfloat16>(made.normed), data_of<float>(made.rstd)};
  dispatch(
      stream, [&](Stream on) { residual_rms_norm(arrays, shape, static_cast<float>(eps), on); },
      [&] { residual_rms_norm_reference(arrays, shape, static_cast<float>(eps)); });
  return made;
}

StreamGradient residual_rms_norm_backward(const NormedStream& made, const at::Tensor& gain,
                                          const at::Tensor& d_stream, const at::Tensor& d_normed,
                                          const at::Tensor& gain_gradient) {
  const RmsNormShape shape{made.stream.size(0), made.stream.size(1)};
  const StreamGradient gradient{at::empty_like(made.stream),
                                at::empty_like(made.stream, made.stream.options().dtype(at::kBFloat16))};
  const at::Tensor partials = at::empty({rms_norm_gain_partials(shape.width)}, made.stream.options());
  const RmsNormBackward arrays{
      data_of<float>(made.stream),       data_of<float>(made.rstd), data_of<float>(gain),
      data_of<Bfloat16>(d_normed),       data_of<float>(d_stream),  data_of<float>(gradient.stream),
      data_of<Bfloat16>(gradient.delta), data_of<float>(partials)};
  dispatch(
      made.stream,
      [&](Stream on) {
        residual_rms_norm_backward(arrays, shape, on);
        GainGradients gains;
        gains.targets[0] = data_of<float>(gain_gradient);
        gains.count = 1;
        add_gain_gradients(data_of<float>(partials), shape.width, gains, on);
      },
      [&] { residual_rms_norm_backward_reference(arrays, shape, data_of<float>(gain_gradient)); });
  return gradient;
}

}  // namespace sparsescope::kernels
