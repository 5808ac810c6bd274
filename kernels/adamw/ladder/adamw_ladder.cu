// Study versions of AdamW.
#include "kernels/adamw/ladder/adamw_ladder.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"

namespace sparsescope::kernels::ladder {
namespace {

constexpr int kThreads = 256;

struct Update {
  float beta1, beta2, eps;
};

__device__ void move(float& p, float g, float& m, float& v, const AdamwSegment& segment, Update update,
                     const UpdateScalars& scalars) {
  const float rate = *scalars.learning_rate * segment.lr_multiplier;
  g *= scalars.factors[0];
  m = update.beta1 * m + (1 - update.beta1) * g;
  v = update.beta2 * v + (1 - update.beta2) * g * g;
  p -= rate * segment.weight_decay * p;
  p -= rate * (m / scalars.factors[1]) / (sqrtf(v) / scalars.factors[2] + update.eps);
}

__global__ void __launch_bounds__(kThreads)
    adamw_scalar_kernel(AdamwBuffers buffers, int count, Update update, UpdateScalars scalars) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= buffers.n) return;
  int low = 0;
  for (int high = count; high - low > 1;) {
    const int middle = (low + high) / 2;
    (buffers.segments[middle].begin <= i ? low : high) = middle;
  }
  if (*scalars.found_non_finite == 0) {
    float p = buffers.parameters[i], m = buffers.m[i], v = buffers.v[i];
    move(p, buffers.gradients[i], m, v, buffers.segments[low], update, scalars);
    buffers.parameters[i] = p, buffers.m[i] = m, buffers.v[i] = v;
    buffers.copy[i] = __float2bfloat16_rn(p);
  }
  buffers.gradients[i] = 0;
}

__global__ void __launch_bounds__(kThreads)
    adamw_streaming_kernel(AdamwBuffers buffers, Update update, UpdateScalars scalars) {
  const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= buffers.n / 4) return;
  const std::uint16_t index = __ldg(buffers.map + i / (kSegmentAlignment / 4));
  float4* const parameters = reinterpret_cast<float4*>(buffers.parameters) + i;
  float4* const gradients = reinterpret_cast<float4*>(buffers.gradients) + i;
  float4* const ms = reinterpret_cast<float4*>(buffers.m) + i;
  float4* const vs = reinterpret_cast<float4*>(buffers.v) + i;
  float4 p = __ldcs(parameters), m = __ldcs(ms), v = __ldcs(vs);
  const float4 g = __ldcs(gradients);
  if (*scalars.found_non_finite == 0 && index != kNoSegment) {
    const AdamwSegment& segment = buffers.segments[index];
    move(p.x, g.x, m.x, v.x, segment, update, scalars);
    move(p.y, g.y, m.y, v.y, segment, update, scalars);
    move(p.z, g.z, m.z, v.z, segment, update, scalars);
    move(p.w, g.w, m.w, v.w, segment, update, scalars);
    __stcs(parameters, p);
    __stcs(ms, m);
    __stcs(vs, v);
    store<4>(buffers.copy + i * 4, Pack<4>{p.x, p.y, p.z, p.w});
  }
  __stcs(gradients, float4{});
}

Update update_of(AdamwRule rule) { return {float(rule.beta1), float(rule.beta2), float(rule.eps)}; }

}  // namespace

void adamw_scalar(const AdamwBuffers& buffers, int count, AdamwRule rule, const UpdateScalars& scalars,
                  Stream stream) {
  launch("adamw_scalar", adamw_scalar_kernel, divide_up(buffers.n, kThreads), kThreads, stream, buffers,
         count, update_of(rule), scalars);
}

void adamw_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream) {
  launch("adamw_streaming", adamw_streaming_kernel, divide_up(buffers.n / 4, kThreads), kThreads, stream,
         buffers, update_of(rule), scalars);
}

}  // namespace sparsescope::kernels::ladder
