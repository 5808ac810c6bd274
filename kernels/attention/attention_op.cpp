#include "kernels/attention/attention_op.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "kernels/attention/attention.h"
#include "kernels/common/dispatch_op.h"

namespace sparsescope::kernels {
namespace {

AttentionShape shape_of(const at::Tensor& qkv, const AttentionForm& form) {
  check(qkv.dim() == 3 && qkv.size(2) % (3 * form.heads) == 0, "attention wants qkv [B,T,3C]");
  return {qkv.size(0), qkv.size(1), form.heads, qkv.size(2) / (3 * form.heads)};
}

RotaryTables tables_of(const AttentionForm& form) {
  return {data_of<float>(form.cosines), data_of<float>(form.sines), form.layout};
}

AttentionRule rule_of(const AttentionForm& form) {
  AttentionRule rule;
  rule.scale = static_cast<float>(form.scale);
  rule.window = form.window;
  rule.slopes = data_of<float>(form.slopes);
  rule.rotary = tables_of(form);
  return rule;
}

}  // namespace

bool has_attention(std::int64_t head_width) {
  return head_width == 16 || head_width == 32 || head_width == 64 || head_width == 128;
}

AttentionOutput attention(const at::Tensor& qkv, const AttentionForm& form) {
  const AttentionShape shape = shape_of(qkv, form);
  const AttentionOutput made{
      at::empty({shape.batch, shape.tokens, shape.heads * shape.head_width}, qkv.options()),
      at::empty({shape.batch, shape.heads, shape.tokens}, qkv.options().dtype(at::kFloat))};
  const AttentionForward arrays{data_of<Bfloat16>(qkv), data_of<Bfloat16>(made.output),
                                data_of<float>(made.lse)};
  const AttentionRule rule = rule_of(form);
  dispatch(
      qkv, [&](Stream on) { attention(arrays, shape, rule, on); },
      [&] { attention_reference(arrays, shape, rule); });
  return made;
}

at::Tensor attention_backward(const at::Tensor& qkv, const AttentionOutput& made, const at::Tensor& d_output,
                              const AttentionForm& form) {
  const AttentionShape shape = shape_of(qkv, form);
  const at::Tensor d_qkv = at::empty_like(qkv),
                   scratch = at::empty({attention_backward_scratch(shape)}, made.lse.options());
  const AttentionBackward arrays{data_of<Bfloat16>(qkv),   data_of<Bfloat16>(made.output),
                                 data_of<float>(made.lse), data_of<Bfloat16>(d_output),
                                 data_of<Bfloat16>(d_qkv), data_of<float>(scratch)};
  const AttentionRule rule = rule_of(form);
  dispatch(
      qkv, [&](Stream on) { attention_backward(arrays, shape, rule, on); },
      [&] { attention_backward_reference(arrays, shape, rule); });
  return d_qkv;
}

void rope(const at::Tensor& qkv, const AttentionForm& form, RotaryTurn turn) {
  if (!form.cosines.defined()) return;
  const AttentionShape shape = shape_of(qkv, form);
  const RopeShape turned{shape.batch, shape.tokens, shape.heads, shape.head_width};
  const RotaryTables tables = tables_of(form);
  auto* data = data_of<Bfloat16>(qkv);
  dispatch(
      qkv, [&](Stream on) { rope(data, tables, turned, turn, on); },
      [&] { rope_reference(data, tables, turned, turn); });
}

}  // namespace sparsescope::kernels
