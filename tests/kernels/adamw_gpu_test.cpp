// The update over flat buffers on a GPU against the reference, step by step and replayed from a graph. Needs
// a GPU, skips itself without one.
#include "kernels/common/tolerance.h"
#include "tests/kernels/adamw_case.h"
#include "tests/kernels/gpu_test.h"

namespace sparsescope::kernels {
namespace {

// A case on the device and its one graph: every step is a replay, what changes is written to device scalars.
class DeviceUpdate {
 public:
  explicit DeviceUpdate(const AdamwCase& made)
      : n_(made.n),
        parameters_(made.parameters),
        gradients_(made.gradients),
        m_(made.m),
        v_(made.v),
        copy_(made.copy),
        segments_(made.segments),
        map_(made.map),
        scalars_(std::vector<AdamwHostScalars>{made.scalars}),
        partials_(kNormPartials),
        graph_(stream_, 1, [&](Stream stream, int) {
          gradient_squares(buffers(), partials_.get(), stream);
          prepare_update(partials_.get(), made.schedule, made.rule, scalars(), stream);
          adamw(buffers(), made.rule, scalars(), stream);
        }) {}

  // Takes gradients and input scalars of `made`.
  void step(const AdamwCase& made) {
    AdamwHostScalars now = scalars_.fetch()[0];
    now.loss = made.scalars.loss;
    now.non_finite = made.scalars.non_finite;
    now.learning_rate_scale = made.scalars.learning_rate_scale;
    now.threshold_min = made.scalars.threshold_min;
    now.threshold_max = made.scalars.threshold_max;
    now.threshold_freeze = made.scalars.threshold_freeze;
    scalars_.set({now});
    gradients_.set(made.gradients);
    graph_.replay();
    stream_.wait();
  }
  std::vector<float> parameters() const { return parameters_.fetch(); }
  std::vector<float> gradients() const { return gradients_.fetch(); }
  std::vector<float> m() const { return m_.fetch(); }
  std::vector<float> v() const { return v_.fetch(); }
  std::vector<float> copy() const { return widened(copy_.fetch()); }
  AdamwHostScalars host_scalars() const { return scalars_.fetch()[0]; }

 private:
  AdamwBuffers buffers() {
    return {n_,       parameters_.get(), gradients_.get(), m_.get(),
            v_.get(), copy_.get(),       segments_.get(),  map_.get()};
  }
  // Pointers into the one struct on the device.
  UpdateScalars scalars() { return scalars_.get()->pointers(); }

  std::int64_t n_;
  DeviceArray<float> parameters_, gradients_, m_, v_;
  DeviceArray<Bfloat16> copy_;
  DeviceArray<AdamwSegment> segments_;
  DeviceArray<std::uint16_t> map_;
  DeviceArray<AdamwHostScalars> scalars_;
  DeviceArray<double> partials_;
  TestStream stream_;
  TestGraph graph_;
};

// Fifty steps with gradients below and above the clip, non-finite ones, a moving rate, clamps and a freeze.
void prepare_step(AdamwCase& made, int step) {
  made.draw_gradients(100 + step, step % 3 == 0 ? 0.001f : 1.0f);
  if (step % 17 == 5) made.gradients[step] = INFINITY;
  made.scalars.non_finite = step == 23 ? 1 : 0;
  made.scalars.loss = step == 31 ? NAN : 1.0f;
  made.scalars.learning_rate_scale = step < 30 ? 1.0f : 0.5f;
  made.scalars.threshold_freeze = step > 10 && step < 20 ? 1.0f : 0.0f;
  made.scalars.threshold_min = step > 40 ? 0.3f : -1000.0f;
}

using AdamwKernel = GpuTest;

TEST_F(AdamwKernel, AgreesWithTheReferenceOverFiftyReplaysOfOneGraph) {
  for (const double clip : {1.0, 0.0}) {
    AdamwCase made = make_adamw_case(mixed_segments(), 1);
    made.rule.clip = clip;
    DeviceUpdate update(made);
    for (int step = 0; step < 50; ++step) {
      prepare_step(made, step);
      update.step(made);
      made.step_on_the_host();
      const AdamwHostScalars got = update.host_scalars();
      EXPECT_EQ(got.step, made.scalars.step);
      EXPECT_EQ(got.updates, made.scalars.updates) << step;
      EXPECT_EQ(got.found_non_finite, made.scalars.found_non_finite) << step;
      EXPECT_NEAR(got.learning_rate, made.scalars.learning_rate, 2e-7 * made.scalars.learning_rate) << step;
      if (got.found_non_finite == 0) {
        EXPECT_NEAR(got.gradient_norm, made.scalars.gradient_norm, 1e-6 * made.scalars.gradient_norm) << step;
      }
      // fp32 arithmetic against fp64: a few roundings a step of values of order one.
      EXPECT_EQ(first_outside(update.m(), made.m, {5e-7, kEpsilonF32, 16}), "") << step;
      EXPECT_EQ(first_outside(update.v(), made.v, {1e-8, kEpsilonF32, 16}), "") << step;
      EXPECT_EQ(first_outside(update.parameters(), made.parameters, {2e-6, kEpsilonF32, 16}), "") << step;
      EXPECT_EQ(update.copy(), widened(rounded(update.parameters()))) << step;
      EXPECT_EQ(update.gradients(), std::vector<float>(made.n, 0)) << step;
    }
  }
}

TEST_F(AdamwKernel, LeavesPaddingZeroAndFrozenSegmentsAlone) {
  AdamwCase made = make_adamw_case(mixed_segments(), 2);
  DeviceUpdate update(made);
  made.scalars.threshold_min = 0.5f;
  for (int step = 0; step < 3; ++step) {
    made.draw_gradients(step, 1);
    update.step(made);
  }
  std::vector<bool> moves(made.n, false);
  for (const AdamwSegment& segment : made.segments) {
    if (segment.freedom == AdamwSegment::Freedom::Frozen) continue;
    for (std::int64_t i = segment.begin; i < segment.begin + segment.size; ++i) moves[i] = true;
  }
  const std::vector<float> parameters = update.parameters(), m = update.m(), v = update.v(),
                           copy = update.copy();
  for (std::int64_t i = 0; i < made.n; ++i) {
    if (moves[i]) continue;
    EXPECT_EQ(parameters[i], made.parameters[i]) << i;
    EXPECT_EQ(copy[i], float_from_bfloat16(made.copy[i])) << i;
    EXPECT_EQ(m[i], 0) << i;
    EXPECT_EQ(v[i], 0) << i;
  }
}

TEST_F(AdamwKernel, GivesTheSameBitsEveryTime) {
  AdamwCase made = make_adamw_case({{0, 1000003, 1, 0.1f}, {0, 77, 2, 0}}, 3);
  DeviceUpdate first(made), again(made);
  for (int step = 0; step < 5; ++step) {
    made.draw_gradients(step, 0.01f);
    first.step(made);
    again.step(made);
    EXPECT_EQ(first.host_scalars().gradient_norm, again.host_scalars().gradient_norm);
  }
  EXPECT_EQ(first.parameters(), again.parameters());
}

TEST_F(AdamwKernel, SumsTheSquaresOfAMillionGradientsLikeTheReference) {
  AdamwCase made = make_adamw_case({{0, 3000007}, {0, 99, 1, 0, AdamwSegment::Freedom::Frozen}}, 4);
  DeviceUpdate update(made);
  made.draw_gradients(9, 2);
  update.step(made);
  made.step_on_the_host();
  EXPECT_NEAR(update.host_scalars().gradient_norm, made.scalars.gradient_norm,
              1e-6 * made.scalars.gradient_norm);
}

}  // namespace
}  // namespace sparsescope::kernels
