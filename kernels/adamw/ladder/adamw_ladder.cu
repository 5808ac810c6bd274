// Study versions of AdamW. Microseconds on an H100 80GB HBM3 (copy: 3007 GB/s), data rotating through more
// than the L2 cache, medians of 5 graphs of 50; in brackets bytes per second (30 B an element) as a share of
// the copy's:
//
//   version                       4.2 M elements   10.7 M elements
//   adamw_scalar                    59.4 (0.71)      140.4 (0.76)
//   adamw_streaming                 53.2 (0.79)      130.0 (0.82)
//   adamw_two_packs                 54.3 (0.77)      129.0 (0.83)
//   adamw_two_streaming             55.6 (0.75)      133.2 (0.80)
//   kernels/adamw/adamw.cu          51.5 (0.81)      125.4 (0.85)
//
// Wider packs and caching hints cost a little; what is left is nine streams, half of them writes, on one
// memory.
#include "kernels/adamw/ladder/adamw_ladder.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"

namespace sparsescope::kernels::ladder {
namespace {

constexpr int kThreads = 256;

enum class Caching { Usual, Streaming };

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

template <Caching kCaching>
__device__ float4 read(const float4* from) {
  return kCaching == Caching::Streaming ? __ldcs(from) : *from;
}

template <Caching kCaching>
__device__ void write(float4* to, float4 value) {
  if constexpr (kCaching == Caching::Streaming) {
    __stcs(to, value);
  } else {
    *to = value;
  }
}

// kPacks packs of four a thread, kThreads packs apart.
template <int kPacks, Caching kCaching>
__global__ void __launch_bounds__(kThreads)
    adamw_vector_kernel(AdamwBuffers buffers, Update update, UpdateScalars scalars) {
  const std::int64_t first = std::int64_t(blockIdx.x) * kThreads * kPacks + threadIdx.x,
                     packs = buffers.n / 4;
  float4* const parameters = reinterpret_cast<float4*>(buffers.parameters);
  float4* const gradients = reinterpret_cast<float4*>(buffers.gradients);
  float4* const ms = reinterpret_cast<float4*>(buffers.m);
  float4* const vs = reinterpret_cast<float4*>(buffers.v);
  float4 p[kPacks], g[kPacks], m[kPacks], v[kPacks];
  std::uint16_t index[kPacks];
#pragma unroll
  for (int k = 0; k < kPacks; ++k) {
    const std::int64_t i = min(first + k * kThreads, packs - 1);
    index[k] = __ldg(buffers.map + i / (kSegmentAlignment / 4));
    p[k] = read<kCaching>(parameters + i);
    g[k] = read<kCaching>(gradients + i);
    m[k] = read<kCaching>(ms + i);
    v[k] = read<kCaching>(vs + i);
  }
  const bool moves = *scalars.found_non_finite == 0;
#pragma unroll
  for (int k = 0; k < kPacks; ++k) {
    const std::int64_t i = first + k * kThreads;
    if (i >= packs) return;
    if (moves && index[k] != kNoSegment) {
      const AdamwSegment& segment = buffers.segments[index[k]];
      move(p[k].x, g[k].x, m[k].x, v[k].x, segment, update, scalars);
      move(p[k].y, g[k].y, m[k].y, v[k].y, segment, update, scalars);
      move(p[k].z, g[k].z, m[k].z, v[k].z, segment, update, scalars);
      move(p[k].w, g[k].w, m[k].w, v[k].w, segment, update, scalars);
      write<kCaching>(parameters + i, p[k]);
      write<kCaching>(ms + i, m[k]);
      write<kCaching>(vs + i, v[k]);
      store<4>(buffers.copy + i * 4, Pack<4>{p[k].x, p[k].y, p[k].z, p[k].w});
    }
    write<kCaching>(gradients + i, float4{});
  }
}

template <int kPacks, Caching kCaching>
void adamw_vector(const char* what, const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                  Stream stream) {
  launch(what, adamw_vector_kernel<kPacks, kCaching>, divide_up(buffers.n / 4, kThreads * kPacks), kThreads,
         stream, buffers, Update{float(rule.beta1), float(rule.beta2), float(rule.eps)}, scalars);
}

}  // namespace

void adamw_scalar(const AdamwBuffers& buffers, int count, AdamwRule rule, const UpdateScalars& scalars,
                  Stream stream) {
  launch("adamw_scalar", adamw_scalar_kernel, divide_up(buffers.n, kThreads), kThreads, stream, buffers,
         count, Update{float(rule.beta1), float(rule.beta2), float(rule.eps)}, scalars);
}

void adamw_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream) {
  adamw_vector<1, Caching::Streaming>("adamw_streaming", buffers, rule, scalars, stream);
}

void adamw_two_packs(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream) {
  adamw_vector<2, Caching::Usual>("adamw_two_packs", buffers, rule, scalars, stream);
}

void adamw_two_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                         Stream stream) {
  adamw_vector<2, Caching::Streaming>("adamw_two_streaming", buffers, rule, scalars, stream);
}

}  // namespace sparsescope::kernels::ladder
