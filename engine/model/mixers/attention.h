// What softmax mixers share: projections into heads and back, masks, and attention over a fixed mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/model/layers.h"
#include "engine/model/mixers/mixer.h"

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
  // The position bias [H,T,T], or undefined.
  at::Tensor bias(const Heads& heads) const;
  double scale() const { return scale_; }  // 1/sqrt(D)

 private:
  std::int64_t layer_, heads_;
  const Positions& positions_;
  Linear qkv_, out_;
  double scale_;
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

  std::int64_t layer_, context_, window_;
  HeadProjections projections_;
  mutable at::Tensor mask_;  // of the last length
};

}  // namespace sparsescope::model
