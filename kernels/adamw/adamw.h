// The update of a training step over flat buffers: gradient norm, what every update needs once (finite test,
// learning rate, counters), and AdamW itself. All that changes from step to step lives on the device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

// Segments begin at multiples of this; what lies between them is padding, zero in every buffer, and stays so.
inline constexpr std::int64_t kSegmentAlignment = 64;

struct AdamwSegment {
  std::int64_t begin = 0;  // multiple of kSegmentAlignment
  std::int64_t size = 0;   // elements without padding
  float lr_multiplier = 1;
  float weight_decay = 0;
  enum class Freedom : std::int32_t { Trained, Frozen } freedom = Freedom::Trained;
  enum class Role : std::int32_t { Weight, Threshold } role = Role::Weight;  // clamped and frozen live
};

// The segment of every tile of kSegmentAlignment elements of a buffer of n (a multiple of it) elements.
// Throws std::invalid_argument when segments are not ascending, aligned, disjoint and inside, or more than
// 65534.
std::vector<std::uint16_t> segment_map(std::span<const AdamwSegment> segments, std::int64_t n);
inline constexpr std::uint16_t kNoSegment = 0xffff;  // a tile that is all padding

// Flat buffers of n elements, 16-byte aligned, n a multiple of kSegmentAlignment; segments and map on the
// device.
struct AdamwBuffers {
  std::int64_t n = 0;
  float* parameters = nullptr;
  float* gradients = nullptr;
  float* m = nullptr;
  float* v = nullptr;
  Bfloat16* copy = nullptr;  // the parameters rounded, for GEMMs
  const AdamwSegment* segments = nullptr;
  const std::uint16_t* map = nullptr;  // [n / kSegmentAlignment] segment_map()
};

// partials [kNormPartials] fp64 = sums of squares of the gradients of all trained segments, in a fixed order.
void gradient_squares(const AdamwBuffers& buffers, double* partials, Stream stream);
inline constexpr std::int64_t kNormPartials = 528;

// lr(i) = peak * min(1, (i+1)/warmup) * (floor + (1-floor)/2 (1 + cos(pi i / total))) * scale, in double.
struct ScheduleRule {
  double peak = 0;
  double floor = 0;  // fraction of the peak
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;  // >= 1
};

struct AdamwRule {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double clip = 0;  // of the global norm; 0: none
};

// Scalars of the update on the device, one element each. The first block is read, the second carried from
// step to step, the third written by prepare_update().
struct UpdateScalars {
  const float* loss = nullptr;
  const std::int32_t* non_finite = nullptr;    // counted up by the step's kernels, or null
  const float* learning_rate_scale = nullptr;  // control
  const float* threshold_min = nullptr;        // controls; all three null when no segment is a threshold
  const float* threshold_max = nullptr;
  const float* threshold_freeze = nullptr;  // > 0.5: thresholds keep their values

  std::int64_t* step = nullptr;     // steps begun before this one; + 1
  std::int64_t* updates = nullptr;  // t, updates made; + 1 when finite

  float* learning_rate = nullptr;     // scheduled and scaled
  float* gradient_norm = nullptr;     // before clipping
  float* found_non_finite = nullptr;  // 1 when loss, norm or the counter says so, else 0
  float* factors = nullptr;           // [kUpdateFactors] gradient scale, 1 - beta1^t, sqrt(1 - beta2^t)
};
inline constexpr std::int64_t kUpdateFactors = 3;

// One small launch: finishes the norm, tests for non-finite numbers, computes the learning rate and advances
// the counters, so that replaying a graph needs no value of the host.
void prepare_update(const double* partials, ScheduleRule schedule, AdamwRule rule,
                    const UpdateScalars& scalars, Stream stream);

// AdamW with decoupled decay, one pass, 30 B an element: for trained segments, lr = learning_rate *
// multiplier,
//   g <- g min(1, clip / norm);  m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g g;
//   p <- p (1 - lr wd) - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps);  copy <- p;  gradients <- 0.
// A threshold then keeps its old value when frozen and is clamped. Where found_non_finite is 1 nothing moves,
// but gradients are zeroed all the same; those of frozen segments always are.
void adamw(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars, Stream stream);

// The same on the host (segments and map on the host), state in fp32, arithmetic in fp64.
void gradient_squares_reference(const AdamwBuffers& buffers, double* partials);
void prepare_update_reference(const double* partials, ScheduleRule schedule, AdamwRule rule,
                              const UpdateScalars& scalars);
void adamw_reference(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars);

}  // namespace sparsescope::kernels
