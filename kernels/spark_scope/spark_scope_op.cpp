// Tensors in, tensors out: checks, allocation, choice of kernel or reference.
#include "kernels/spark_scope/spark_scope_op.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#ifdef SPARSESCOPE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include "engine/trace/error.h"

namespace sparsescope::kernels {
namespace {

ScopeOutput pointers(const SparkScope& scope) {
  return {scope.reasons.data_ptr<std::uint8_t>(), scope.row_counts.data_ptr<std::int32_t>(),
          scope.row_moments.data_ptr<double>()};
}

void run_on_cpu(const at::Tensor& scores, const at::Tensor& theta, ScopeShape shape, ScopeRule rule,
                ScopeOutput output) {
  at::parallel_for(0, shape.batch, 1, [&](std::int64_t first, std::int64_t last) {
    spark_scope_reference(scores.const_data_ptr<float>(), theta.const_data_ptr<float>(), shape, rule, output,
                          first, last);
  });
}

#ifdef SPARSESCOPE_CUDA
void run_on_gpu(const at::Tensor& scores, const at::Tensor& theta, ScopeShape shape, ScopeRule rule,
                ScopeOutput output) {
  const c10::cuda::CUDAGuard guard(scores.device());
  const at::Tensor scratch =
      at::empty({shape.batch, shape.tokens, scope_words(shape.tokens)}, scores.options().dtype(at::kInt));
  spark_scope(scores.const_data_ptr<float>(), theta.const_data_ptr<float>(), shape, rule, output,
              reinterpret_cast<std::uint32_t*>(scratch.data_ptr<std::int32_t>()),
              c10::cuda::getCurrentCUDAStream().stream());
}
#else
void run_on_gpu(const at::Tensor&, const at::Tensor&, ScopeShape, ScopeRule, ScopeOutput) {
  throw Error("this build has no GPU code; build with SPARSESCOPE_CUDA=ON, or train with --device cpu");
}
#endif

}  // namespace

SparkScope spark_scope(const at::Tensor& scores, const at::Tensor& theta, ScopeRule rule) {
  check(scores.dim() == 3 && scores.size(1) == scores.size(2), "spark_scope wants scores [B,T,T]");
  check(scores.scalar_type() == at::kFloat && theta.scalar_type() == at::kFloat,
        "spark_scope decides from fp32");
  check(scores.is_contiguous() && theta.numel() == 1,
        "spark_scope wants contiguous scores and one threshold");
  check(scores.device() == theta.device(), "spark_scope wants scores and threshold on one device");
  check(!scores.requires_grad() && !theta.requires_grad(),
        "a decision has no gradient: pass detached tensors");
  check(rule.window >= 1, "the fallback window holds at least the token itself");

  const ScopeShape shape{scores.size(0), scores.size(1)};
  SparkScope scope;
  scope.reasons = at::empty({shape.batch, shape.tokens, shape.tokens}, scores.options().dtype(at::kByte));
  scope.row_counts = at::empty({shape.batch, shape.tokens, kScopeCounts}, scores.options().dtype(at::kInt));
  scope.row_moments = at::empty({shape.batch, shape.tokens, 2}, scores.options().dtype(at::kDouble));
  if (scores.is_cuda()) {
    run_on_gpu(scores, theta, shape, rule, pointers(scope));
  } else {
    run_on_cpu(scores, theta, shape, rule, pointers(scope));
  }
  return scope;
}

}  // namespace sparsescope::kernels
