#include "kernels/cross_entropy/cross_entropy_op.h"

#include <ATen/ops/empty.h>

#include "kernels/common/dispatch_op.h"
#include "kernels/common/token_ids_op.h"
#include "kernels/cross_entropy/cross_entropy.h"

namespace sparsescope::kernels {

TargetCount count_targets(const at::Tensor& targets) {
  const at::TensorOptions options = targets.options();
  const TargetCount count{at::empty({1}, options.dtype(at::kFloat)), at::empty({1}, options.dtype(at::kInt))};
  auto* inverse = data_of<float>(count.inverse);
  auto* non_finite = data_of<std::int32_t>(count.non_finite);
  dispatch(
      targets, [&](Stream on) { count_targets(token_ids(targets), inverse, non_finite, on); },
      [&] { count_targets_reference(token_ids(targets), inverse, non_finite); });
  return count;
}

void cross_entropy(const at::Tensor& logits, const at::Tensor& targets, std::int64_t first,
                   const TargetCount& count, const at::Tensor& nll, const at::Tensor& d_logits) {
  const CrossEntropyChunk chunk{token_ids(targets), first, logits.size(0), logits.size(1)};
  const CrossEntropyOutput output{data_of<float>(nll), data_of<Bfloat16>(d_logits),
                                  data_of<std::int32_t>(count.non_finite)};
  const auto* from = data_of<float>(logits);
  const auto* inverse = data_of<float>(count.inverse);
  dispatch(
      logits, [&](Stream on) { cross_entropy(from, chunk, inverse, output, on); },
      [&] { cross_entropy_reference(from, chunk, inverse, output); });
}

at::Tensor mean_nll(const at::Tensor& nll, const TargetCount& count) {
  const at::Tensor loss = at::empty({}, nll.options());
  const auto *from = data_of<float>(nll), *inverse = data_of<float>(count.inverse);
  auto* to = data_of<float>(loss);
  dispatch(
      nll, [&](Stream on) { mean_nll(from, nll.numel(), inverse, to, on); },
      [&] { mean_nll_reference(from, nll.numel(), inverse, to); });
  return loss;
}

}  // namespace sparsescope::kernels
