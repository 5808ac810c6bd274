// The reduction behind the probe `scope_pooled`: reason codes of one sequence as shares per block of pairs.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/probes/sizes.h"

namespace sparsescope::probes {

// reasons [T,T] u8 (kernels::ScopeReason) -> [4, blocks, blocks] f32: direct, inherited and not direct,
// fallback, self, each as a share of the block's pairs p <= t; 0 above the diagonal.
at::Tensor pool_scope(const at::Tensor& reasons);

}  // namespace sparsescope::probes
