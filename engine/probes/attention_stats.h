// The reduction behind the probe `attention_stats`: what one layer's attention weights look like, per head.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace sparsescope::probes {

// Statistics that every mixer has, in the order of the columns of attention_statistics().
inline const std::vector<std::string> kAttentionStats = {
    "entropy",            // -sum w ln w, nats
    "entropy_of_past",    // the same over ln(t+1), rows t >= 1
    "entropy_of_scope",   // the same over ln n_t, n_t keys in scope; rows with n_t >= 2
    "effective_support",  // exp(entropy), keys
    "participation",      // 1 / sum w^2, keys
    "dropped_mass",       // 1 - share of the shadow softmax over all p <= t that lies in scope
    "mean_distance",      // sum w (t - p), tokens
    "long_range_mass",    // sum over p <= t - reach of w
    "previous_mass",      // w on p = t - 1
    "duplicate_mass",     // w on earlier equal ids
    "first_key_mass",     // alpha_0: mean weight on key 0 over the rows of the first 64 tokens
    "sink_rate",          // share of sequences with alpha_0 > 0.3
};
// Added for SPaRK: attention mass by reason, disjoint.
inline const std::vector<std::string> kScopeMassStats = {"direct_mass", "inherited_mass", "fallback_mass",
                                                         "self_mass"};

// weights, logits [B,H,T,T] (weights exactly 0 outside the scope, logits unmasked), ids [B,T] i64; `reach`
// tokens count as near. -> [H, kAttentionStats] fp32, means over rows and sequences. Empty products count 0,
// masked zeros make no NaN.
at::Tensor attention_statistics(const at::Tensor& weights, const at::Tensor& logits, const at::Tensor& ids,
                                std::int64_t reach);

// reasons [B,T,T] u8 -> [H, kScopeMassStats]; inherited means inherited and not direct. They sum to 1.
at::Tensor scope_mass(const at::Tensor& weights, const at::Tensor& reasons);

// weights [B,H,2m,2m] on a block of m tokens repeated twice -> [H]: mean over t = m .. 2m-2 of w_t[t-m+1].
at::Tensor induction_score(const at::Tensor& weights);

}  // namespace sparsescope::probes
