// Top-K declaration: a token declares the K ids of the vocabulary that it scores best. Scores are counted
// from the K-th best of their declarer, so that a threshold of 0 is exactly top-K and any other is an offset
// to it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sparsescope::model {

// table [...,V] of scores: each minus the K-th largest of its row. K is at most V.
at::Tensor relative_to_rank(const at::Tensor& table, std::int64_t k);

struct RankedInput {
  at::Tensor declaration;  // [B,T,r] z
  at::Tensor address;      // [B,T,r] u of each token's own id
  at::Tensor addresses;    // [V,r] U
  at::Tensor ids;          // [B,T] i64
  double scale = 1;        // kappa/sqrt(r)
};
// [B,T,T]: S[t,p] - kth_p, both taken from one table F[p,v] [B,T,V], so that no rounding parts a score from
// its own rank; the K-th is held fixed, gradients are those of S and reach `declaration` and `address`.
at::Tensor ranked_scores(const RankedInput& input, std::int64_t k);

// Largest number below theta: s > below(theta) is s >= theta, which lets ties with the K-th in.
at::Tensor just_below(const at::Tensor& theta);

}  // namespace sparsescope::model
