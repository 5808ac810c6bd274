// GELU on a GPU against the fp64 reference: every bf16 number there is. Needs a GPU, skips itself without
// one.
#include "kernels/common/tolerance.h"
#include "kernels/gelu/gelu.h"
#include "tests/kernels/gpu_test.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {
namespace {

// A value that lies between two bf16 numbers may fall the other way: one step, two roundoffs.
constexpr Tolerance kRounding = {1e-7, kEpsilonBf16, 2.02};

std::vector<Bfloat16> finite_numbers() {
  std::vector<Bfloat16> numbers;
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const Bfloat16 number = std::bit_cast<Bfloat16>(std::uint16_t(bits));
    if (std::abs(float_from_bfloat16(number)) < 1e30f) numbers.push_back(number);
  }
  return numbers;
}

using GeluKernel = GpuTest;

TEST_F(GeluKernel, AgreesWithTheReferenceOnEveryFiniteNumber) {
  const std::vector<Bfloat16> numbers = finite_numbers();
  const std::vector<Bfloat16> ones(numbers.size(), bfloat16_from_float(1));
  std::vector<Bfloat16> wanted(numbers), wanted_slope(numbers);
  gelu_reference(numbers.data(), std::int64_t(numbers.size()), wanted.data());
  gelu_backward_reference(numbers.data(), ones.data(), std::int64_t(numbers.size()), wanted_slope.data());
  DeviceArray<Bfloat16> input(numbers), d_output(ones), output(numbers.size()), d_input(numbers.size());
  const TestStream stream;
  gelu(input.get(), std::int64_t(numbers.size()), output.get(), stream);
  gelu_backward(input.get(), d_output.get(), std::int64_t(numbers.size()), d_input.get(), stream);
  stream.wait();
  EXPECT_EQ(first_outside(widened(output.fetch()), widened(wanted), kRounding), "");
  EXPECT_EQ(first_outside(widened(d_input.fetch()), widened(wanted_slope), kRounding), "");
}

TEST_F(GeluKernel, AgreesWithTheReferenceOnOddCountsAndOffsetsAndInPlace) {
  for (const std::int64_t count : {1, 7, 8, 9, 2049, 100003}) {
    for (const std::int64_t offset : {0, 1, 4}) {
      const std::vector<Bfloat16> h = rounded(normal_floats(count + offset, 3, 2));
      const std::vector<Bfloat16> da = rounded(normal_floats(count + offset, 4));
      std::vector<Bfloat16> wanted = h, wanted_gradient = da;
      gelu_reference(h.data() + offset, count, wanted.data() + offset);
      gelu_backward_reference(h.data() + offset, da.data() + offset, count, wanted_gradient.data() + offset);
      DeviceArray<Bfloat16> input(h), gradient(da);
      const TestStream stream;
      gelu_backward(input.get() + offset, gradient.get() + offset, count, gradient.get() + offset, stream);
      gelu(input.get() + offset, count, input.get() + offset, stream);
      stream.wait();
      EXPECT_EQ(first_outside(widened(input.fetch()), widened(wanted), kRounding), "") << count;
      EXPECT_EQ(first_outside(widened(gradient.fetch()), widened(wanted_gradient), kRounding), "") << count;
    }
  }
}

TEST_F(GeluKernel, KeepsNumbersThatAreNotFiniteVisible) {
  DeviceArray<Bfloat16> values(rounded(std::vector<float>{NAN, INFINITY, 1, -1, 0, 2, 3, 4}));
  const TestStream stream;
  gelu(values.get(), 8, values.get(), stream);
  stream.wait();
  const std::vector<float> got = widened(values.fetch());
  EXPECT_TRUE(std::isnan(got[0]));
  EXPECT_TRUE(std::isinf(got[1]));
  EXPECT_EQ(got[4], 0);
}

}  // namespace
}  // namespace sparsescope::kernels
