// Laws of the update over flat buffers on the CPU; that it is the engine's AdamW is held in tests/train.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/kernels/adamw_case.h"

namespace sparsescope::kernels {
namespace {

std::vector<float> part_of(const std::vector<float>& buffer, const AdamwSegment& segment) {
  return {buffer.begin() + segment.begin, buffer.begin() + segment.begin + segment.size};
}

TEST(SegmentMap, NamesTheSegmentOfEveryTileAndNoneForPadding) {
  const std::vector<AdamwSegment> segments = {{0, 65}, {192, 64}};
  EXPECT_EQ(segment_map(segments, 320), (std::vector<std::uint16_t>{0, 0, kNoSegment, 1, kNoSegment}));
}

TEST(SegmentMap, RefusesSegmentsThatAreNotAlignedOverlapOrLeaveTheBuffer) {
  EXPECT_THROW(segment_map(std::vector<AdamwSegment>{{3, 10}}, 64), std::invalid_argument);
  EXPECT_THROW(segment_map(std::vector<AdamwSegment>{{0, 65}, {64, 1}}, 128), std::invalid_argument);
  EXPECT_THROW(segment_map(std::vector<AdamwSegment>{{64, 1}, {0, 1}}, 128), std::invalid_argument);
  EXPECT_THROW(segment_map(std::vector<AdamwSegment>{{0, 65}}, 64), std::invalid_argument);
  EXPECT_THROW(segment_map(std::vector<AdamwSegment>{{0, 1}}, 65), std::invalid_argument);
}

TEST(AdamwReference, MovesTrainedSegmentsAndNeitherFrozenOnesNorPadding) {
  AdamwCase made = make_adamw_case(mixed_segments(), 1);
  const AdamwCase before = made;
  made.draw_gradients(2, 1);
  made.step_on_the_host();
  std::vector<bool> belongs(made.n, false);
  for (const AdamwSegment& segment : made.segments) {
    const bool is_frozen = segment.freedom == AdamwSegment::Freedom::Frozen;
    EXPECT_EQ(part_of(made.parameters, segment) == part_of(before.parameters, segment), is_frozen);
    for (std::int64_t i = segment.begin; i < segment.begin + segment.size; ++i) belongs[i] = true;
  }
  for (std::int64_t i = 0; i < made.n; ++i) {
    EXPECT_EQ(made.gradients[i], 0);
    if (!belongs[i]) {
      EXPECT_EQ(made.parameters[i], 0);
      EXPECT_EQ(made.v[i], 0);
    }
  }
  EXPECT_EQ(widened(made.copy), widened(rounded(made.parameters)));
}

TEST(AdamwReference, HoldsThresholdsBetweenTheirLimitsAndStillWhenFrozen) {
  AdamwCase made = make_adamw_case(mixed_segments(), 3);
  const AdamwSegment theta = made.segments[3];
  made.parameters[theta.begin] = 0.5f;
  made.scalars.threshold_freeze = 1;
  made.draw_gradients(4, 1);
  made.step_on_the_host();
  EXPECT_EQ(made.parameters[theta.begin], 0.5f);
  EXPECT_NE(made.m[theta.begin], 0);
  made.scalars.threshold_freeze = 0;
  made.scalars.threshold_min = 0.75f;
  made.draw_gradients(5, 1);
  made.step_on_the_host();
  EXPECT_EQ(made.parameters[theta.begin], 0.75f);
  EXPECT_EQ(made.parameters[theta.begin + 1], 0) << "padding is not clamped";
}

TEST(AdamwReference, MovesNothingWhereSomethingIsNotFiniteButGoesOnWithTheSchedule) {
  enum class Cause { Loss, Gradient, Counter };
  for (const Cause cause : {Cause::Loss, Cause::Gradient, Cause::Counter}) {
    AdamwCase made = make_adamw_case(mixed_segments(), 6);
    made.draw_gradients(7, 1);
    if (cause == Cause::Loss) made.scalars.loss = INFINITY;
    if (cause == Cause::Gradient) made.gradients[5] = NAN;
    if (cause == Cause::Counter) made.scalars.non_finite = 2;
    const AdamwCase before = made;
    made.step_on_the_host();
    EXPECT_EQ(made.scalars.found_non_finite, 1);
    EXPECT_EQ(made.scalars.updates, 0);
    EXPECT_EQ(made.scalars.step, 1);
    EXPECT_EQ(made.parameters, before.parameters);
    EXPECT_EQ(made.m, before.m);
    EXPECT_EQ(made.v, before.v);
    EXPECT_EQ(made.gradients, std::vector<float>(made.n, 0));
  }
}

TEST(AdamwReference, LeavesFrozenGradientsOutOfTheNorm) {
  AdamwCase made = make_adamw_case(mixed_segments(), 8);
  const AdamwSegment frozen = made.segments[2];
  made.gradients[0] = 3;
  made.gradients[made.segments[5].begin] = 4;
  made.gradients[frozen.begin] = 100;
  made.step_on_the_host();
  EXPECT_EQ(made.scalars.gradient_norm, 5);
  EXPECT_EQ(made.scalars.factors[0], 0.2f);
}

}  // namespace
}  // namespace sparsescope::kernels
