// Projections, masks and masked softmax attention in ATen operations, differentiated by autograd.
#include "engine/model/mixers/attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/model/functions/attention.h"
#include "engine/model/functions/cudnn_attention.h"

namespace sparsescope::model {

HeadProjections::HeadProjections(const MixerContext& context)
    : layer_(context.layer),
      heads_(context.config.heads),
      head_width_(context.config.width / context.config.heads),
      positions_(context.positions),
      qkv_(context.parameters, context.name + ".wqkv", context.config.width, 3 * context.config.width,
           context.config.init_std, context.config.biases),
      out_(context.parameters, context.name + ".wo", context.config.width, context.config.width,
           output_std(context.config), context.config.biases),
      scale_(1 / std::sqrt(static_cast<double>(context.config.width / context.config.heads))),
      parameter_type_(context.parameters.dtype()) {}

Heads HeadProjections::split(const at::Tensor& x, const MixerCall& call) const {
  const std::int64_t batch = x.size(0), tokens = x.size(1), head_width = x.size(2) / heads_;
  // Rounded as products are, then wide again: logits and softmax are no products.
  const at::Tensor qkv = qkv_(x)
                             .to(parameter_type_)
                             .view({batch, tokens, 3, heads_, head_width})
                             .permute({2, 0, 3, 1, 4});  // [3,B,H,T,D]
  const auto [queries, keys] = positions_.rotate(qkv.select(0, 0), qkv.select(0, 1));
  const Heads heads{queries, keys, qkv.select(0, 2)};
  call.show(Observation::Query, layer_, heads.queries);
  call.show(Observation::Key, layer_, heads.keys);
  call.show(Observation::Value, layer_, heads.values);
  return heads;
}

at::Tensor HeadProjections::merge(const at::Tensor& y) const { return out_(y.transpose(1, 2).flatten(2)); }

at::Tensor HeadProjections::bias(const Heads& heads) const {
  return positions_.bias(heads.queries.size(-2), heads.queries.options());
}

kernels::AttentionForm HeadProjections::form(const at::Tensor& qkv, std::int64_t window) const {
  kernels::AttentionForm form;
  form.heads = heads_;
  form.scale = scale_;
  form.window = window;
  positions_.describe(form, qkv.size(1), qkv.options());
  return form;
}

bool HeadProjections::may_use_own(const MixerCall& call, bool (*has_kernel)(std::int64_t)) const {
  constexpr Observation kInside[] = {Observation::Query,
                                     Observation::Key,
                                     Observation::Value,
                                     Observation::AttentionLogits,
                                     Observation::AttentionWeights,
                                     Observation::Scores,
                                     Observation::Scope};
  const bool is_observed = std::any_of(std::begin(kInside), std::end(kInside),
                                       [&](Observation what) { return call.is_wanted(what, layer_); });
  return call.kernels == Kernels::Own && !is_observed && call.options.interventions == nullptr &&
         has_kernel(head_width_);
}

at::Tensor window_mask(std::int64_t tokens, std::int64_t window, at::TensorOptions like) {
  const at::Tensor positions = at::arange(tokens, like.dtype(at::kLong));
  const at::Tensor distance = positions.unsqueeze(1) - positions.unsqueeze(0);  // [T,T], t-p
  const at::Tensor is_outside = distance.lt(0).logical_or(distance.ge(window));
  return at::zeros({tokens, tokens}, like).masked_fill(is_outside, -std::numeric_limits<double>::infinity());
}

FixedMaskMixer::FixedMaskMixer(const MixerContext& context, std::int64_t window)
    : layer_(context.layer), window_(window), projections_(context), masks_(context.config.context) {}

at::Tensor FixedMaskMixer::additive_mask(const Heads& heads) const {
  const std::int64_t tokens = heads.queries.size(-2);
  return masks_.get(tokens, [&] {
    const at::Tensor mask = window_mask(tokens, window_, heads.queries.options());
    const at::Tensor bias = projections_.bias(heads);
    return bias.defined() ? mask + bias : mask;
  });
}

at::Tensor FixedMaskMixer::forward(const at::Tensor& x, MixerCall& call) const {
  if (projections_.may_use_own(call, kernels::has_attention)) {
    const at::Tensor qkv = projections_.pack(x);  // [B,T,3C]
    const kernels::AttentionForm form = projections_.form(qkv, window_);
    const bool is_cudnns = call.options.attention == experiments::AttentionKernels::Cudnn &&
                           has_cudnn_attention(form, qkv.size(1));
    return projections_.unpack(is_cudnns ? cudnn_attention(qkv, form) : model::attention(qkv, form));
  }
  const Heads heads = projections_.split(x, call);
  at::Tensor logits =
      at::matmul(heads.queries * projections_.scale(), heads.keys.transpose(-2, -1));  // [B,H,T,T]
  if (call.is_wanted(Observation::AttentionLogits, layer_)) {
    const at::Tensor bias = projections_.bias(heads);
    call.show(Observation::AttentionLogits, layer_, bias.defined() ? logits + bias : logits);
  }
  const at::Tensor weights = at::softmax(logits + additive_mask(heads), -1);
  call.show(Observation::AttentionWeights, layer_, weights);
  return projections_.merge(at::matmul(weights, heads.values));
}

}  // namespace sparsescope::model
