// Gates of SPaRK's estimators as tensors over pairs: which pairs carry them, and their logarithm as an
// additive mask. Attention and gradients are elsewhere.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/experiments/experiment.h"

namespace sparsescope::model {

// reasons [B,T,T] u8, kernels::ScopeReason. 0 where a reason is set, -inf elsewhere: [B,1,T,T] of type
// `like`.
at::Tensor scope_mask(const at::Tensor& reasons, const at::Tensor& like);

// Past pairs whose gate is s = sigma((S - theta)/tau) in `surrogate` and `soft`: direct ones and those out of
// scope; [B,T,T] bool.
at::Tensor has_soft_gate(const at::Tensor& reasons);

// Pairs that carry the gate in `in_scope`; [B,T,T] bool.
at::Tensor has_scope_gate(const at::Tensor& reasons, experiments::GatePairs pairs);

// ln g from gap = (S - theta)/tau [B,T,T]: ln s where the gate is soft, 0 on self and on pairs that are only
// inherited or fallback, -inf for the future. Differentiable in `gap`.
at::Tensor log_soft_gate(const at::Tensor& gap, const at::Tensor& is_soft);

}  // namespace sparsescope::model
