// Attention and rotary positions on the GPU against fp64, and the laws they keep.
#include <cstring>

#include "kernels/attention/attention.h"
#include "tests/kernels/attention_case.h"
#include "tests/kernels/gpu_test.h"

namespace sparsescope::kernels {
namespace {

class AttentionKernel : public GpuTest {};

struct Bits {
  std::vector<Bfloat16> output, d_qkv;
  std::vector<float> lse;
};

Bits run(const AttentionCase& made) {
  DeviceArray<Bfloat16> qkv(rounded_doubles(made.qkv)), d_output(rounded_doubles(made.d_output));
  DeviceArray<float> slopes(made.slopes), cosines(made.cosines), sines(made.sines);
  // Outputs start as NaN.
  DeviceArray<Bfloat16> output(made.d_output.size()), d_qkv(made.qkv.size());
  DeviceArray<float> lse(made.shape.batch * made.shape.heads * made.shape.tokens);
  DeviceArray<float> scratch(attention_backward_scratch(made.shape));
  const AttentionRule rule = made.rule(slopes.get(), cosines.get(), sines.get());
  attention({qkv.get(), output.get(), lse.get()}, made.shape, rule, nullptr);
  attention_backward({qkv.get(), output.get(), lse.get(), d_output.get(), d_qkv.get(), scratch.get()},
                     made.shape, rule, nullptr);
  return {output.fetch(), d_qkv.fetch(), lse.fetch()};
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b, std::size_t count) {
  return std::memcmp(a.data(), b.data(), count * sizeof(T)) == 0;
}

// What any kernel with bf16 at its borders loses: inputs rounded, fp64 inside, results rounded.
AttentionResult plain_rounding(const AttentionCase& made) {
  AttentionResult result = reference_of(rounded_inputs(made));
  result.output = doubles_of(rounded_doubles(result.output));
  result.d_qkv = doubles_of(rounded_doubles(result.d_qkv));
  return result;
}

void expect_as_good_as_rounding(const AttentionCase& made) {
  const AttentionResult exact = reference_of(made), plain = plain_rounding(made);
  const Bits bits = run(made);
  const std::vector<double> output = doubles_of(bits.output), d_qkv = doubles_of(bits.d_qkv);
  const std::vector<double> lse(bits.lse.begin(), bits.lse.end());
  // A second rounding of weights and, with rotary positions, of turned q and k; 1e-4 where all is exact.
  EXPECT_LT(distance(output, exact.output), 1.5 * distance(plain.output, exact.output) + 1e-4) << made.name();
  EXPECT_LT(distance(d_qkv, exact.d_qkv), 1.5 * distance(plain.d_qkv, exact.d_qkv) + 1e-4) << made.name();
  // The worst of up to a million elements is a matter of luck in both.
  EXPECT_LT(worst(output, exact.output), 3 * worst(plain.output, exact.output) + 1e-3) << made.name();
  EXPECT_LT(worst(d_qkv, exact.d_qkv), 3 * worst(plain.d_qkv, exact.d_qkv) + 1e-3) << made.name();
  // lse is fp32 of the rounded inputs; turned q and k are rounded once more.
  const double lse_error = worst(lse, plain.lse);
  EXPECT_LT(lse_error, made.cosines.empty() ? 1e-5 : 2e-2) << made.name();
}

TEST_F(AttentionKernel, LosesNoMoreThanRoundingOnSizesThatFitNoTile) {
  std::uint32_t seed = 1;
  for (const std::int64_t width : {32, 64}) {
    for (const std::int64_t tokens : {1, 7, 33, 64, 129, 256, 300}) {
      for (const std::int64_t window : {std::int64_t(1), std::int64_t(5), std::int64_t(32), INT64_MAX}) {
        const auto positions = Positions(seed % 5);
        expect_as_good_as_rounding({{3, tokens, 3, width}, window, positions, seed++});
      }
    }
  }
}

TEST_F(AttentionKernel, LosesNoMoreThanRoundingUnderEveryPositionAndWindow) {
  std::uint32_t seed = 100;
  for (const std::int64_t width : {32, 64}) {
    for (const std::int64_t tokens : {129, 256, 300}) {
      for (const auto positions : {Positions::None, Positions::Alibi, Positions::Interleaved,
                                   Positions::HalfSplit, Positions::AlibiAndInterleaved}) {
        for (const std::int64_t window : {std::int64_t(100), INT64_MAX})
          expect_as_good_as_rounding({{1, tokens, 6, width}, window, positions, seed++});
      }
    }
  }
}

TEST_F(AttentionKernel, LosesNoMoreThanRoundingOnLongSequencesAndOtherWidths) {
  expect_as_good_as_rounding({{1, 1024, 3, 32}, INT64_MAX, Positions::Alibi, 201});
  expect_as_good_as_rounding({{1, 1024, 2, 64}, INT64_MAX, Positions::HalfSplit, 202});
  expect_as_good_as_rounding({{1, 1000, 3, 64}, 32, Positions::Alibi, 203});
  expect_as_good_as_rounding({{1, 1000, 3, 32}, 300, Positions::Interleaved, 204});
  for (const std::int64_t width : {16, 128}) {
    expect_as_good_as_rounding({{2, 129, 3, width}, INT64_MAX, Positions::AlibiAndInterleaved, 205});
    expect_as_good_as_rounding({{2, 300, 3, width}, 32, Positions::HalfSplit, 206});
  }
}

TEST_F(AttentionKernel, KeepsOutputsBeforeAChangedTokenBitForBit) {
  for (const std::int64_t width : {32, 64}) {
    for (const std::int64_t tokens : {256, 300}) {
      AttentionCase made({1, tokens, 3, width}, INT64_MAX, Positions::AlibiAndInterleaved, 7);
      const Bits before = run(made);
      const std::int64_t changed = 77, row = 3 * width;
      for (std::int64_t i = changed * 3 * row; i < (changed + 1) * 3 * row; ++i) made.qkv[i] += 1;
      const Bits after = run(made);
      EXPECT_TRUE(same_bits(before.output, after.output, changed * row)) << made.name();
      EXPECT_FALSE(same_bits(before.output, after.output, (changed + 1) * row)) << made.name();
      for (std::int64_t head = 0; head < 3; ++head) {
        const float *a = before.lse.data() + head * tokens, *b = after.lse.data() + head * tokens;
        EXPECT_EQ(std::memcmp(a, b, changed * sizeof(float)), 0) << made.name();
      }
    }
  }
}

TEST_F(AttentionKernel, GivesTheSameBitsEveryTime) {
  for (const std::int64_t tokens : {256, 515}) {
    const AttentionCase made({5, tokens, 6, 32}, INT64_MAX, Positions::Alibi, 11);
    const Bits first = run(made);
    for (int repetition = 0; repetition < 3; ++repetition) {
      const Bits again = run(made);
      EXPECT_TRUE(same_bits(first.output, again.output, first.output.size()));
      EXPECT_TRUE(same_bits(first.lse, again.lse, first.lse.size()));
      EXPECT_TRUE(same_bits(first.d_qkv, again.d_qkv, first.d_qkv.size()));
    }
  }
}

TEST_F(AttentionKernel, StaysExactUnderLogitsFarApart) {
  AttentionCase made({1, 300, 2, 64}, INT64_MAX, Positions::None, 13);
  for (double& value : made.qkv) value *= 6;  // logits with a deviation of 36
  const AttentionCase rounded_case = rounded_inputs(made);
  const AttentionResult exact = reference_of(rounded_case);
  const Bits bits = run(rounded_case);
  EXPECT_LT(distance(doubles_of(bits.output), exact.output), 4e-3);
  EXPECT_LT(distance(doubles_of(bits.d_qkv), exact.d_qkv), 1e-2);
}

TEST_F(AttentionKernel, RefusesOtherWidthsInOneSentence) {
  try {
    attention({}, {1, 8, 1, 48}, {}, nullptr);
    FAIL() << "a width of 48 was accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "attention has kernels for heads of 16, 32, 64 and 128 channels, not 48");
  }
}

class RopeKernel : public GpuTest {};

TEST_F(RopeKernel, TurnsLikeTheReferenceAndBack) {
  std::uint32_t seed = 31;
  for (const std::int64_t width : {16, 32, 48, 64, 128}) {
    for (const auto positions : {Positions::Interleaved, Positions::HalfSplit}) {
      const AttentionCase made({3, 33, 5, width}, INT64_MAX, positions, seed++);
      const RopeShape shape{3, 33, 5, width};
      for (const auto turn : {RotaryTurn::Forward, RotaryTurn::Back}) {
        std::vector<Bfloat16> wanted = rounded_doubles(made.qkv);
        DeviceArray<Bfloat16> qkv(wanted);
        DeviceArray<float> cosines(made.cosines), sines(made.sines);
        rope_reference(wanted.data(), made.host_rule().rotary, shape, turn);
        rope(qkv.get(), made.rule(nullptr, cosines.get(), sines.get()).rotary, shape, turn, nullptr);
        // fp32 inside: one rounding to bf16 may fall to the other side.
        EXPECT_LT(worst(doubles_of(qkv.fetch()), doubles_of(wanted)), 0.02) << made.name();
        EXPECT_LT(distance(doubles_of(qkv.fetch()), doubles_of(wanted)), 1e-4) << made.name();
      }
    }
  }
}

}  // namespace
}  // namespace sparsescope::kernels
