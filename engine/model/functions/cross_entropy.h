// The head and its loss in one: logits exist only a chunk of rows at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/model/parameter_table.h"

namespace sparsescope::model {

struct HeadLoss {
  at::Tensor loss;        // [] fp32, mean nats over predicted targets
  at::Tensor non_finite;  // [1] i32, rows with a logit that is not finite
};
// hidden [B,T,C] bf16, head [V,C], targets [B,T] i64 (kIgnoredTarget: not predicted). Where gradients are
// enabled, the gradients of hidden and head are formed with the loss and hold for a total that contains it
// once, unweighted: the head's is added to head.value.grad() at once, that of hidden waits for the backward
// pass. The logits of a chunk are fp32, their gradient bf16.
HeadLoss head_loss(const at::Tensor& hidden, const Weight& head, const at::Tensor& targets);

}  // namespace sparsescope::model
