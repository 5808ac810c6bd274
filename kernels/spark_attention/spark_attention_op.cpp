#include "kernels/spark_attention/spark_attention_op.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <array>

#include "kernels/common/dispatch_op.h"
#include "kernels/common/token_ids_op.h"

namespace sparsescope::kernels {
namespace {

[[noreturn]] void refuse_cpu() {
  throw Error("SPaRK's own kernels run on a GPU; on a CPU its library operations do the same");
}

std::uint32_t* bits_of(const at::Tensor& tensor) {
  return reinterpret_cast<std::uint32_t*>(data_of<std::int32_t>(tensor));
}

SparkAttentionShape shape_of(const SparkTensors& tensors, const SparkForm& form) {
  const std::int64_t heads = form.attention.heads;
  return {tensors.qkv.size(0), tensors.qkv.size(1), heads, tensors.qkv.size(2) / (3 * heads)};
}

SparkScoresInput scores_of(const SparkTensors& tensors) {
  SparkScoresInput input;
  input.declarations = data_of<float>(tensors.declarations);
  input.addresses = data_of<float>(tensors.addresses);
  input.ids = token_ids(tensors.ids);
  input.theta = data_of<float>(tensors.theta);
  return input;
}

SparkAttentionInput input_of(const SparkTensors& tensors, const SparkMade& made, const SparkForm& form) {
  SparkAttentionInput input;
  input.qkv = data_of<Bfloat16>(tensors.qkv);
  input.slopes = data_of<float>(form.attention.slopes);
  input.direct = bits_of(made.direct);
  input.scope = bits_of(made.scope);
  input.log_gates = data_of<Bfloat16>(made.log_gates);
  return input;
}

SparkAttentionSaved saved_of(const SparkMade& made) {
  return {data_of<Bfloat16>(made.output), data_of<float>(made.lse_hard), data_of<Bfloat16>(made.soft_output),
          data_of<float>(made.lse_soft)};
}

at::Tensor scratch_of(std::int64_t bytes, const at::Tensor& like) {
  return at::empty({bytes}, like.options().dtype(at::kByte));
}

}  // namespace

bool has_spark_attention(std::int64_t head_width) { return head_width == 32 || head_width == 64; }

SparkMade spark_forward(const SparkTensors& tensors, const SparkForm& form, SparkGradients gradients,
                        const at::Tensor& row_gates) {
  const SparkAttentionShape shape = shape_of(tensors, form);
  const SparkScoresShape scores_shape{shape.batch, shape.tokens, tensors.declarations.size(2)};
  const at::TensorOptions options = tensors.qkv.options(), wide = options.dtype(at::kFloat);
  const bool is_wanted = gradients == SparkGradients::Wanted;
  const bool is_soft = is_wanted && form.estimator == SparkEstimator::Surrogate;

  SparkMade made;
  const std::array<std::int64_t, 3> bits = {shape.batch, shape.tokens, scope_words(shape.tokens)};
  made.direct = at::empty(bits, options.dtype(at::kInt));
  made.scope = at::empty(bits, options.dtype(at::kInt));
  if (is_wanted) made.log_gates = at::empty({pair_plane_values(shape.batch, shape.tokens)}, options);
  made.row_counts = at::empty({shape.batch, shape.tokens, kScopeCounts}, options.dtype(at::kInt));
  made.row_moments = at::empty({shape.batch, shape.tokens, 2}, options.dtype(at::kDouble));
  made.output = at::empty({shape.batch, shape.tokens, shape.heads * shape.head_width}, options);
  made.lse_hard = at::empty({shape.batch, shape.heads, shape.tokens}, wide);
  if (is_soft) {
    made.soft_output = at::empty_like(made.output);
    made.lse_soft = at::empty_like(made.lse_hard);
  }

  SparkScoresOutput decided;
  decided.direct = bits_of(made.direct);
  decided.scope = bits_of(made.scope);
  decided.row_counts = data_of<std::int32_t>(made.row_counts);
  decided.row_moments = data_of<double>(made.row_moments);
  decided.row_gates = data_of<double>(row_gates);
  decided.log_gates = data_of<Bfloat16>(made.log_gates);
  // Without gradients the forward pass is that of in_scope: hard weights alone.
  const SparkAttentionRule rule{is_soft ? form.estimator : SparkEstimator::InScope, form.gate_pairs,
                                static_cast<float>(form.attention.scale)};
  rope(tensors.qkv, form.attention, RotaryTurn::Forward);
  dispatch(
      tensors.qkv,
      [&](Stream on) {
        const at::Tensor scratch = scratch_of(spark_scores_scratch(scores_shape), tensors.qkv);
        spark_scores(scores_of(tensors), scores_shape, form.scores, decided, scratch.data_ptr(), on);
        spark_attention(input_of(tensors, made, form), shape, rule, saved_of(made), on);
      },
      refuse_cpu);
  return made;
}

SparkGradientsMade spark_backward(const SparkTensors& tensors, const SparkMade& made, const SparkForm& form,
                                  const at::Tensor& d_output, const at::Tensor& weight,
                                  const at::Tensor& theta_gradient) {
  const SparkAttentionShape shape = shape_of(tensors, form);
  const std::int64_t rank = tensors.declarations.size(2);
  const SparkGradientsMade gradients{
      at::empty_like(tensors.qkv),
      at::empty({shape.batch * shape.tokens, rank}, tensors.declarations.options()),
      at::empty_like(tensors.declarations)};
  SparkScoreGradientInput scores;
  scores.scores = scores_of(tensors);
  scores.rank = rank;
  scores.kappa = form.scores.kappa;
  scores.tau = form.scores.tau;
  scores.weight = data_of<float>(weight);
  scores.layers = form.layers;
  SparkAttentionGradients into;
  into.d_qkv = data_of<Bfloat16>(gradients.qkv);
  into.d_address_rows = data_of<float>(gradients.address_rows);
  into.d_declarations = data_of<float>(gradients.declarations);
  into.d_theta = data_of<float>(theta_gradient);
  const SparkAttentionRule rule{form.estimator, form.gate_pairs, static_cast<float>(form.attention.scale)};
  dispatch(
      tensors.qkv,
      [&](Stream on) {
        const at::Tensor scratch = scratch_of(spark_attention_backward_scratch(shape, rank), tensors.qkv);
        spark_attention_backward(input_of(tensors, made, form), shape, rule, saved_of(made),
                                 data_of<Bfloat16>(d_output), scores, into, scratch.data_ptr(), on);
      },
      refuse_cpu);
  rope(gradients.qkv, form.attention, RotaryTurn::Back);
  return gradients;
}

}  // namespace sparsescope::kernels
