// The update of a training step on the GPU: sums of squares by a fixed number of blocks, one small block for
// everything scalar, one pass over the buffers. Sums run in a fixed order.
#include "kernels/adamw/adamw.h"
#include "kernels/common/block_reduce.h"
#include "kernels/common/launch.h"
#include "kernels/common/vector.h"

namespace sparsescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kWidth = 4;

// The segment of a pack, or null: all padding.
__device__ inline const AdamwSegment* segment_of(const AdamwBuffers& buffers, std::int64_t pack) {
  const std::uint16_t index = __ldg(buffers.map + pack / (kSegmentAlignment / kWidth));
  return index == kNoSegment ? nullptr : buffers.segments + index;
}

__device__ inline bool is_trained(const AdamwSegment* segment) {
  return segment != nullptr && segment->freedom == AdamwSegment::Freedom::Trained;
}

__global__ void __launch_bounds__(kThreads) gradient_squares_kernel(AdamwBuffers buffers, double* partials) {
  __shared__ double shared[kThreads / kWarpSize];
  constexpr int kAtOnce = 4;
  float sum = 0;
  const std::int64_t packs = buffers.n / kWidth, step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t begin = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
  for (std::int64_t first = begin; first < packs; first += kAtOnce * step) {
    // All loads of a kind before the first that waits for one of them.
    Pack<kWidth> gradients[kAtOnce];
    const AdamwSegment* segments[kAtOnce];
    bool counts[kAtOnce];
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      const std::int64_t i = min(first + k * step, packs - 1);
      gradients[k] = load_constant<kWidth>(buffers.gradients + i * kWidth);
      segments[k] = segment_of(buffers, i);
    }
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) counts[k] = first + k * step < packs && is_trained(segments[k]);
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      float squares = 0;
#pragma unroll
      for (float g : gradients[k].at) squares = fmaf(g, g, squares);
      sum += counts[k] ? squares : 0.0f;
    }
  }
  const double total = block_sum<kThreads>(double(sum), shared);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

__device__ double scheduled_rate(ScheduleRule schedule, double step) {
  const double warmup =
      schedule.warmup_steps > 0 ? fmin(1.0, (step + 1) / double(schedule.warmup_steps)) : 1.0;
  const double cosine = 1 + cospi(step / double(schedule.total_steps));
  return schedule.peak * warmup * (schedule.floor + 0.5 * (1 - schedule.floor) * cosine);
}

// One block. The slow double functions run in four warps side by side.
__global__ void __launch_bounds__(kThreads)
    prepare_update_kernel(const double* partials, ScheduleRule schedule, AdamwRule rule,
                          UpdateScalars scalars) {
  __shared__ double shared[kThreads / kWarpSize];
  __shared__ double rate, decay1, decay2;
  double squares = 0;
  for (int i = threadIdx.x; i < kNormPartials; i += kThreads) squares += partials[i];
  const std::int64_t step = *scalars.step, updates = *scalars.updates;
  if (threadIdx.x == kWarpSize) rate = scheduled_rate(schedule, double(step));
  if (threadIdx.x == 2 * kWarpSize) decay1 = pow(rule.beta1, double(updates + 1));
  if (threadIdx.x == 3 * kWarpSize) decay2 = pow(rule.beta2, double(updates + 1));
  const double norm = sqrt(block_sum<kThreads>(squares, shared));
  if (threadIdx.x != 0) return;
  const bool is_finite = isfinite(*scalars.loss) && isfinite(float(norm)) &&
                         (scalars.non_finite == nullptr || *scalars.non_finite == 0);
  *scalars.gradient_norm = float(norm);
  *scalars.found_non_finite = is_finite ? 0.0f : 1.0f;
  *scalars.learning_rate = float(rate * double(*scalars.learning_rate_scale));
  *scalars.step = step + 1;
  // Where nothing moves, nothing reads the factors.
  if (is_finite) *scalars.updates = updates + 1;
  scalars.factors[0] = rule.clip > 0 ? float(fmin(1.0, rule.clip / norm)) : 1.0f;
  scalars.factors[1] = float(1 - decay1);
  scalars.factors[2] = float(sqrt(1 - decay2));
}

// What every element of the pass needs, rounded once.
struct Update {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, eps;
};

struct Element {
  float parameter, gradient, m, v;
};

__device__ inline void move(Element& element, const Update& update, float scale, float decay, float step_size,
                            float inverse_correction2) {
  const float g = element.gradient * scale;
  element.m = fmaf(update.beta1, element.m, update.one_minus_beta1 * g);
  element.v = fmaf(update.beta2, element.v, update.one_minus_beta2 * g * g);
  const float denominator = fmaf(sqrtf(element.v), inverse_correction2, update.eps);
  element.parameter =
      fmaf(-decay, element.parameter, element.parameter) - step_size * (element.m / denominator);
}

// A threshold's value after its live controls.
__device__ float threshold_after(float before, float after, const UpdateScalars& scalars) {
  const float kept = *scalars.threshold_freeze > 0.5f ? before : after;
  return fminf(fmaxf(kept, *scalars.threshold_min), *scalars.threshold_max);
}

// Moves a pack of a trained segment.
__device__ inline void update_pack(const AdamwBuffers& buffers, const AdamwSegment& segment, Update update,
                                   const UpdateScalars& scalars, std::int64_t at,
                                   const Pack<kWidth>& gradients, Pack<kWidth> parameters, Pack<kWidth> m,
                                   Pack<kWidth> v) {
  const float rate = *scalars.learning_rate * segment.lr_multiplier;
  const float decay = rate * segment.weight_decay, step_size = rate / scalars.factors[1];
  const float scale = scalars.factors[0], inverse_correction2 = 1.0f / scalars.factors[2];
  const bool is_threshold = segment.role == AdamwSegment::Role::Threshold;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    Element element = {parameters.at[k], gradients.at[k], m.at[k], v.at[k]};
    move(element, update, scale, decay, step_size, inverse_correction2);
    // Padding behind a threshold is not clamped: it stays zero.
    if (is_threshold && at + k < segment.begin + segment.size)
      element.parameter = threshold_after(parameters.at[k], element.parameter, scalars);
    parameters.at[k] = element.parameter, m.at[k] = element.m, v.at[k] = element.v;
  }
  store<kWidth>(buffers.parameters + at, parameters);
  store<kWidth>(buffers.m + at, m);
  store<kWidth>(buffers.v + at, v);
  store<kWidth>(buffers.copy + at, parameters);
}

__global__ void __launch_bounds__(kThreads)
    adamw_kernel(AdamwBuffers buffers, Update update, UpdateScalars scalars) {
  const std::int64_t pack = std::int64_t(blockIdx.x) * kThreads + threadIdx.x, at = pack * kWidth;
  if (at >= buffers.n) return;
  const AdamwSegment* segment = segment_of(buffers, pack);
  // All loads before the first decision that waits for one.
  const Pack<kWidth> gradients = load<kWidth>(buffers.gradients + at);
  const Pack<kWidth> parameters = load<kWidth>(buffers.parameters + at);
  const Pack<kWidth> m = load<kWidth>(buffers.m + at), v = load<kWidth>(buffers.v + at);
  if (*scalars.found_non_finite == 0 && is_trained(segment))
    update_pack(buffers, *segment, update, scalars, at, gradients, parameters, m, v);
  store<kWidth>(buffers.gradients + at, Pack<kWidth>{});
}

}  // namespace

void gradient_squares(const AdamwBuffers& buffers, double* partials, Stream stream) {
  launch("gradient_squares", gradient_squares_kernel, kNormPartials, kThreads, stream, buffers, partials);
}

void prepare_update(const double* partials, ScheduleRule schedule, AdamwRule rule,
                    const UpdateScalars& scalars, Stream stream) {
  launch("prepare_update", prepare_update_kernel, 1, kThreads, stream, partials, schedule, rule, scalars);
}

void adamw(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars, Stream stream) {
  const Update update = {float(rule.beta1), float(1 - rule.beta1), float(rule.beta2), float(1 - rule.beta2),
                         float(rule.eps)};
  launch("adamw", adamw_kernel, divide_up(buffers.n / kWidth, kThreads), kThreads, stream, buffers, update,
         scalars);
}

}  // namespace sparsescope::kernels
