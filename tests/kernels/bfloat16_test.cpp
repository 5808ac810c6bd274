// Conversions between fp32 and bf16 on the host.
#include "kernels/common/bfloat16.h"

#include <gtest/gtest.h>

#include <limits>

namespace sparsescope::kernels {
namespace {

std::uint16_t bits_of(Bfloat16 value) { return std::bit_cast<std::uint16_t>(value); }

TEST(Bfloat16, SurvivesTheWayThroughFp32InEveryPattern) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = float_from_bfloat16(std::bit_cast<Bfloat16>(std::uint16_t(bits)));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_bfloat16(bfloat16_from_float(value)))) << bits;
    } else {
      EXPECT_EQ(bits_of(bfloat16_from_float(value)), bits);
    }
  }
}

TEST(Bfloat16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(bits_of(bfloat16_from_float(std::bit_cast<float>(0x3f808000u))), 0x3f80);  // a tie: down to even
  EXPECT_EQ(bits_of(bfloat16_from_float(std::bit_cast<float>(0x3f818000u))), 0x3f82);  // a tie: up to even
  EXPECT_EQ(bits_of(bfloat16_from_float(std::bit_cast<float>(0x3f808001u))), 0x3f81);
  EXPECT_EQ(bits_of(bfloat16_from_float(std::bit_cast<float>(0x3f817fffu))), 0x3f81);
  EXPECT_EQ(bits_of(bfloat16_from_float(std::numeric_limits<float>::max())), 0x7f80);  // infinity
}

}  // namespace
}  // namespace sparsescope::kernels
