// The update over flat buffers (kernels/adamw) is the optimizer and the schedule of the engine: the same
// parameters step by step. That the kernel is its reference is held in tests/kernels.
#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/scalar_tensor.h>
#include <gtest/gtest.h>

#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"
#include "tests/kernels/adamw_case.h"

namespace sparsescope::train {
namespace {

using kernels::AdamwCase;
using kernels::AdamwSegment;

at::Tensor tensor_of(const std::vector<float>& buffer, const AdamwSegment& segment) {
  return at::from_blob(const_cast<float*>(buffer.data()) + segment.begin, {segment.size}, at::kFloat).clone();
}

experiments::OptimizerConfig config_of(const AdamwCase& made) {
  experiments::OptimizerConfig config;
  config.learning_rate = made.schedule.peak;
  config.final_lr_fraction = made.schedule.floor;
  config.warmup_steps = made.schedule.warmup_steps;
  config.beta1 = made.rule.beta1;
  config.beta2 = made.rule.beta2;
  config.eps = made.rule.eps;
  config.clip = made.rule.clip;
  return config;
}

std::vector<Segment> segments_of(const AdamwCase& made) {
  std::vector<Segment> segments;
  for (const AdamwSegment& segment : made.segments) {
    const bool is_frozen = segment.freedom == AdamwSegment::Freedom::Frozen;
    segments.push_back({"segment " + std::to_string(segments.size()),
                        tensor_of(made.parameters, segment).requires_grad_(), segment.lr_multiplier,
                        segment.weight_decay,
                        is_frozen ? Segment::Freedom::Frozen : Segment::Freedom::Trained});
  }
  return segments;
}

void set_gradients(const Optimizer& optimizer, const AdamwCase& made) {
  for (std::size_t s = 0; s < made.segments.size(); ++s) {
    at::Tensor parameter = optimizer.segments()[s].parameter;
    parameter.mutable_grad() = tensor_of(made.gradients, made.segments[s]);
  }
}

TEST(FlatUpdate, MovesParametersLikeTheOptimizerOverFiftyStepsWithClippingAndNonFiniteOnes) {
  for (const double clip : {1.0, 0.0}) {
    AdamwCase made = kernels::make_adamw_case(kernels::mixed_segments(), 1);
    made.rule.clip = clip;
    const Schedule schedule(config_of(made), made.schedule.total_steps);
    Optimizer optimizer(config_of(made), segments_of(made));
    for (int step = 0; step < 50; ++step) {
      made.draw_gradients(100 + step, step % 3 == 0 ? 0.001f : 1.0f);  // below and above the clip
      if (step % 17 == 5) made.gradients[step] = INFINITY;
      made.scalars.learning_rate_scale = step < 30 ? 1.0f : 0.5f;
      set_gradients(optimizer, made);
      const at::Tensor norm = optimizer.gradient_norm();
      const at::Tensor found_non_finite = norm.isfinite().logical_not().to(at::kFloat);
      optimizer.step(schedule.learning_rate(step) * made.scalars.learning_rate_scale, norm, found_non_finite);
      made.step_on_the_host();
      EXPECT_EQ(made.scalars.found_non_finite, found_non_finite.item<float>());
      if (made.scalars.found_non_finite == 0) {
        EXPECT_NEAR(made.scalars.gradient_norm, norm.item<float>(), 1e-5 * norm.item<float>());
      }
      for (std::size_t s = 0; s < made.segments.size(); ++s) {
        const at::Tensor wanted = optimizer.segments()[s].parameter.detach();
        const at::Tensor got = tensor_of(made.parameters, made.segments[s]);
        // Both round parameters of up to 4 to fp32 in each of 50 steps.
        EXPECT_LE((got - wanted).abs().max().item<float>(), 50 * 2.4e-7)
            << "segment " << s << ", step " << step;
      }
    }
  }
}

TEST(FlatUpdate, ComputesTheLearningRateOfTheSchedule) {
  for (const std::int64_t warmup : {0, 1, 10}) {
    AdamwCase made = kernels::make_adamw_case({{0, 4}}, 2);
    made.schedule = {3e-3, 0.1, warmup, 37};
    const Schedule schedule(config_of(made), 37);
    for (int step = 0; step < 37; ++step) {
      made.step_on_the_host();
      EXPECT_EQ(made.scalars.learning_rate, static_cast<float>(schedule.learning_rate(step))) << step;
      EXPECT_EQ(made.scalars.step, step + 1);
    }
  }
}

}  // namespace
}  // namespace sparsescope::train
