// Residual addition and RMSNorm on a GPU against the fp64 reference. Needs a GPU, skips itself without one.
#include "kernels/common/tolerance.h"
#include "tests/kernels/gpu_test.h"
#include "tests/kernels/rms_norm_case.h"

namespace sparsescope::kernels {
namespace {

enum class Storage { Apart, InPlace };

RmsNormResult run_kernel(const RmsNormCase& made, RmsNormUse use, Storage storage) {
  RmsNormResult result(made.shape);
  const TestStream stream;
  const std::size_t count = made.count();
  DeviceArray<float> stream_in(made.stream), gain(made.gain), d_stream_out(made.d_stream);
  DeviceArray<float> stream_apart(count), rstd(result.rstd.size()), d_stream_apart(count);
  DeviceArray<Bfloat16> delta(made.delta), d_normed(made.d_normed), normed(count), d_delta(count);
  DeviceArray<float> partials(rms_norm_gain_partials(made.shape.width)), d_gain(result.d_gain);
  const bool is_in_place = storage == Storage::InPlace;
  DeviceArray<float>& stream_out = is_in_place ? stream_in : stream_apart;
  DeviceArray<float>& d_stream_in = is_in_place && use.has_d_stream ? d_stream_out : d_stream_apart;

  residual_rms_norm({stream_in.get(), use.adds_delta ? delta.get() : nullptr, gain.get(), stream_out.get(),
                     normed.get(), rstd.get()},
                    made.shape, kNormEps, stream);
  residual_rms_norm_backward({stream_out.get(), rstd.get(), gain.get(), d_normed.get(),
                              use.has_d_stream ? d_stream_out.get() : nullptr, d_stream_in.get(),
                              use.writes_d_delta ? d_delta.get() : nullptr, partials.get()},
                             made.shape, stream);
  add_gain_gradients(partials.get(), made.shape.width, {{d_gain.get()}, 1}, stream);
  stream.wait();
  result.stream = stream_out.fetch();
  result.rstd = rstd.fetch();
  result.normed = normed.fetch();
  result.d_stream = d_stream_in.fetch();
  if (use.writes_d_delta) result.d_delta = d_delta.fetch();
  result.d_gain = d_gain.fetch();
  return result;
}

void expect_close(const RmsNormCase& made, RmsNormUse use, Storage storage) {
  const RmsNormResult got = run_kernel(made, use, storage), wanted = run_reference(made, use);
  const std::string what =
      std::to_string(made.shape.tokens) + " tokens of " + std::to_string(made.shape.width);
  EXPECT_EQ(got.stream, wanted.stream) << what;
  // A sum of C squares and a reciprocal root; values of a row then carry that error and their own rounding.
  const double width = double(made.shape.width);
  EXPECT_EQ(first_outside(got.rstd, wanted.rstd, {0, kEpsilonF32, 4 + std::sqrt(width)}), "") << what;
  EXPECT_EQ(first_outside(widened(got.normed), widened(wanted.normed), {1e-6, kEpsilonBf16, 2.02}), "")
      << what;
  EXPECT_LE(relative_error(got.d_stream, wanted.d_stream), 1e-6) << what;
  EXPECT_EQ(first_outside(got.d_stream, wanted.d_stream, {2e-5, kEpsilonF32, 8}), "") << what;
  if (use.writes_d_delta) {
    EXPECT_EQ(first_outside(widened(got.d_delta), widened(wanted.d_delta), {2e-5, kEpsilonBf16, 2.02}), "")
        << what;
  }
  // N terms of order one in another order than the reference's.
  EXPECT_EQ(
      first_outside(got.d_gain, wanted.d_gain, {1e-6 * double(made.shape.tokens) + 1e-5, kEpsilonF32, 8}), "")
      << what;
}

using RmsNormKernel = GpuTest;

TEST_F(RmsNormKernel, AgreesWithTheReferenceOnEveryWayToHoldARow) {
  std::uint32_t seed = 1;
  for (const std::int64_t width : {1,   2,   3,   4,   37,  64,  66,  100,  128,  192,  200,  256,  320,
                                   384, 512, 516, 640, 768, 896, 900, 1000, 1024, 1025, 1028, 2048, 8192}) {
    for (const std::int64_t tokens : {1, 5, 67})
      expect_close(make_rms_norm_case({tokens, width}, seed++), {}, Storage::Apart);
  }
}

TEST_F(RmsNormKernel, AgreesWithTheReferenceOnManyRows) {
  for (const std::int64_t width : {64, 192, 384, 512, 1030})
    expect_close(make_rms_norm_case({9001, width}, 7), {}, Storage::InPlace);
}

TEST_F(RmsNormKernel, AgreesWithTheReferenceWhereArraysAreAbsentOrInPlace) {
  for (const std::int64_t width : {37, 192, 384, 1100}) {
    const RmsNormCase made = make_rms_norm_case({33, width}, 11);
    for (const Storage storage : {Storage::Apart, Storage::InPlace}) {
      for (int absent = 0; absent < 8; ++absent)
        expect_close(made, {(absent & 1) == 0, (absent & 2) == 0, (absent & 4) == 0}, storage);
    }
  }
}

TEST_F(RmsNormKernel, AddsTheGainsOfSeveralNormsInOneLaunch) {
  constexpr std::int64_t kWidth = 100;
  const std::vector<float> partials = normal_floats(3 * kRmsNormPartials * kWidth, 5);
  DeviceArray<float> on_device(partials);
  DeviceArray<float> a(std::vector<float>(kWidth, 1)), b(std::vector<float>(kWidth, 2)),
      c(std::vector<float>(kWidth, 3));
  const TestStream stream;
  add_gain_gradients(on_device.get(), kWidth, {{a.get(), b.get(), c.get()}, 3}, stream);
  stream.wait();
  const std::vector<float> got[] = {a.fetch(), b.fetch(), c.fetch()};
  for (int norm = 0; norm < 3; ++norm) {
    for (std::int64_t column = 0; column < kWidth; ++column) {
      double sum = norm + 1;
      for (std::int64_t row = 0; row < kRmsNormPartials; ++row)
        sum += partials[(norm * kRmsNormPartials + row) * kWidth + column];
      EXPECT_NEAR(got[norm][column], sum, 1e-4) << norm << ", " << column;
    }
  }
}

TEST_F(RmsNormKernel, GivesTheSameBitsEveryTime) {
  for (const std::int64_t width : {192, 1030}) {
    const RmsNormCase made = make_rms_norm_case({4099, width}, 13);
    const RmsNormResult first = run_kernel(made, {}, Storage::Apart);
    for (int repetition = 0; repetition < 3; ++repetition) {
      const RmsNormResult again = run_kernel(made, {}, Storage::InPlace);
      EXPECT_EQ(again.d_stream, first.d_stream);
      EXPECT_EQ(widened(again.normed), widened(first.normed));
      EXPECT_EQ(again.d_gain, first.d_gain);
    }
  }
}

}  // namespace
}  // namespace sparsescope::kernels
