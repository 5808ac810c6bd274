#include "kernels/gelu/gelu_op.h"

#include <ATen/ops/empty_like.h>

#include "kernels/common/dispatch_op.h"
#include "kernels/gelu/gelu.h"

namespace sparsescope::kernels {

at::Tensor gelu(const at::Tensor& input) {
  const at::Tensor output = at::empty_like(input);
  const auto* from = data_of<Bfloat16>(input);
  auto* to = data_of<Bfloat16>(output);
  dispatch(
      input, [&](Stream on) { gelu(from, input.numel(), to, on); },
      [&] { gelu_reference(from, input.numel(), to); });
  return output;
}

at::Tensor gelu_backward(const at::Tensor& input, const at::Tensor& d_output) {
  const at::Tensor d_input = at::empty_like(input);
  const auto *from = data_of<Bfloat16>(input), *upstream = data_of<Bfloat16>(d_output);
  auto* to = data_of<Bfloat16>(d_input);
  dispatch(
      input, [&](Stream on) { gelu_backward(from, upstream, input.numel(), to, on); },
      [&] { gelu_backward_reference(from, upstream, input.numel(), to); });
  return d_input;
}

}  // namespace sparsescope::kernels
