// What softmax mixers share: projections into heads and back, masks, and attention over a fixed mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/model/layers.h"
#include "engine/model/mixers/mixer.h"
#include "engine/model/per_length.h"

namespace sparsescope::model {

struct Heads {
  at::Tensor queries, keys, values;  // [B,H,T,D]
};

// Fused Wqkv [3C,C] and Wo [C,C], with the position encoding in between.
class HeadProjections {
 public:
  explicit HeadProjections(const MixerContext& context);
  Heads split(const at::Tensor& x, const MixerCall& call) const;  // [B,T,C]; shows queries, keys and values
  at::Tensor merge(const at::Tensor& y) const;                    // [B,H,T,D] -> [B,T,C]
  // For own kernels: packed and not yet turned, [B,T,C] -> [B,T,3C] in the products' type; back again; and
  // what attention in between has to know, for `window` keys.
  at::Tensor pack(const at::Tensor& x) const { return qkv_(x); }
  at::Tensor unpack(const at::Tensor& y) const { return out_(y); }
  kernels::AttentionForm form(const at::Tensor& qkv, std::int64_t window) const;
  // Whether own kernels may do the attention of this call: nobody looks inside or intervenes, and there is
  // one for this head width.
  bool may_use_own(const MixerCall& call, bool (*has_kernel)(std::int64_t)) const;
  // The position bias [H,T,T], or undefined.
  at::Tensor bias(const Heads& heads) const;
  double scale() const { return scale_; }  // 1/sqrt(D)

 private:
  std::int64_t layer_, heads_, head_width_;
  const Positions& positions_;
  Linear qkv_, out_;
  double scale_;
  at::ScalarType parameter_type_;
};

// [T,T]: 0 where 0 <= t-p < window, -inf elsewhere. window >= T is the causal mask.
at::Tensor window_mask(std::int64_t tokens, std::int64_t window, at::TensorOptions like);

// Attention over the last `window` keys, itself included: the mixers `window` and, with an unbounded window,
// `dense`.
class FixedMaskMixer : public Mixer {
 public:
  FixedMaskMixer(const MixerContext& context, std::int64_t window);
  at::Tensor forward(const at::Tensor& x, MixerCall& call) const override;

 private:
  at::Tensor additive_mask(const Heads& heads) const;  // [T,T] or [H,T,T]

  std::int64_t layer_, window_;
  HeadProjections projections_;
  mutable PerLength<at::Tensor> masks_;
};

}  // namespace sparsescope::model
