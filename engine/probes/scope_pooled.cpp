#include "engine/probes/scope_pooled.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include "engine/probes/probe.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::probes {
namespace {

// Sums of [.., T, T] over blocks: [.., blocks, blocks].
at::Tensor block_sums(const at::Tensor& pairs, std::int64_t context) {
  const std::int64_t block = pooled_block(context), blocks = pooled_blocks(context),
                     rest = block * blocks - context;
  const at::Tensor padded = at::constant_pad_nd(pairs, {0, rest, 0, rest}, 0);
  return padded.reshape({-1, blocks, block, blocks, block}).sum(at::IntArrayRef{2, 4});
}

}  // namespace

at::Tensor pool_scope(const at::Tensor& reasons) {
  const std::int64_t T = reasons.size(-1);
  const at::Tensor direct = reasons.bitwise_and(kernels::kDirect).ne(0);
  const at::Tensor inherited =
      reasons.bitwise_and(kernels::kInherited).ne(0).logical_and(direct.logical_not());
  const at::Tensor fallback = reasons.bitwise_and(kernels::kFallback).ne(0);
  const at::Tensor self = reasons.bitwise_and(kernels::kSelf).ne(0);
  const at::Tensor parts = at::stack({direct, inherited, fallback, self}).to(at::kFloat);  // [4,T,T]
  const at::Tensor causal = at::ones({1, T, T}, parts.options()).tril();
  return block_sums(parts, T) / block_sums(causal, T).clamp_min(1);  // [4,blocks,blocks]
}

at::Tensor scope_pooled_of_layer(const LayerInput& input) {
  return pool_scope(input.seen.get(model::Observation::Scope, input.layer)[0]).to(at::kHalf);
}

}  // namespace sparsescope::probes
