// Half precision, texts and the synthetic runs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "engine/trace/half.h"
#include "engine/trace/synthetic_source.h"
#include "engine/trace/text.h"

namespace sparsescope::trace {
namespace {

TEST(Half, EveryHalfComesBackFromFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_half(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value))));
    } else {
      ASSERT_EQ(half_from_float(value), half);
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const double exponent = static_cast<double>(random() % 45) - 27.0;
    const float value = static_cast<float>(std::ldexp(
        1.0 + static_cast<double>(random() % (1u << 23)) / (1u << 23), static_cast<int>(exponent)));
    const std::uint16_t half = half_from_float(value);
    if (value >= 65520.0f) {
      ASSERT_EQ(half, 0x7c00) << value;
      continue;
    }
    const double error = std::abs(static_cast<double>(float_from_half(half)) - value);
    for (const int neighbour : {-1, 1}) {
      if (half == 0 && neighbour < 0) continue;
      const auto other = static_cast<std::uint16_t>(half + neighbour);
      const double other_error =
          std::abs((other == 0x7c00 ? 65536.0 : static_cast<double>(float_from_half(other))) - value);
      ASSERT_LE(error, other_error) << value;
      ASSERT_TRUE(error != other_error || half % 2 == 0) << value;
    }
  }
}

TEST(Text, OnlyStrictUtf8IsText) {
  for (const char* good : {"", "plain", "\xCE\xB8", "\xE2\x9C\x93", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF0\x80\x80\x80", "\xFF", "a\xE2\x9C"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Text, TextsComeBackWithoutPaddingAndLongOnesAreAnError) {
  Frame frame;
  const std::vector<std::string> texts = {"", "one", std::string(kTextBytes, 'x'), "\xCE\xB8"};
  add_texts(frame, 5, texts);
  EXPECT_TRUE(frame.present.has(5));
  EXPECT_EQ(frame.data.front().bytes.size(), 4 * kTextBytes);
  EXPECT_EQ(texts_of(frame.data.front()), texts);
  for (const std::string& bad :
       {std::string(kTextBytes + 1, 'x'), std::string("a\0b", 3), std::string("\xC3")}) {
    Frame other;
    EXPECT_THROW(add_texts(other, 5, std::vector<std::string>{bad}), std::logic_error);
    EXPECT_TRUE(other.data.empty() && !other.present.has(5));
  }
}

class Synthetic : public ::testing::TestWithParam<SyntheticOptions::Kind> {};

TEST_P(Synthetic, AFrameDependsOnOptionsAndRowAlone) {
  const SyntheticSource one({GetParam(), 40, 5}), same({GetParam(), 40, 5}), other({GetParam(), 40, 6});
  bool differs = false;
  for (const std::uint64_t row : {std::uint64_t{30}, std::uint64_t{3}, std::uint64_t{30}}) {
    EXPECT_EQ(one.frame(row)->data, same.frame(row)->data);
    differs = differs || one.frame(row)->data != other.frame(row)->data;
  }
  EXPECT_TRUE(differs);
}

TEST_P(Synthetic, FramesFitTheSchemaAndTheStepNeverFalls) {
  const SyntheticSource source({GetParam(), 160, 5});
  validate_schema(*source.schema());
  std::uint64_t last = 0;
  bool has_equal_steps = false;
  Presence seen;
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    const FramePtr frame = source.frame(row);
    EXPECT_EQ(frame->row, row);
    EXPECT_GE(frame->step, last);
    has_equal_steps = has_equal_steps || (row > 0 && frame->step == last);
    last = frame->step;
    Presence carried;
    for (const ChannelData& part : frame->data) {
      const Channel& channel = source.schema()->channels.at(part.channel);
      carried.add(part.channel);
      seen.add(part.channel);
      EXPECT_TRUE(channel.kind == ChannelKind::Ragged || part.bytes.size() == channel.unit_bytes())
          << channel.name;
      EXPECT_EQ(part.bytes.size() % channel.unit_bytes(), 0u) << channel.name;
    }
    EXPECT_EQ(carried, frame->present);
  }
  EXPECT_TRUE(has_equal_steps);
  for (const Channel& channel : source.schema()->channels) EXPECT_TRUE(seen.has(channel.id)) << channel.name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Synthetic,
                         ::testing::Values(SyntheticOptions::Kind::Spark,
                                           SyntheticOptions::Kind::EveryDtype));

TEST(SyntheticEveryDtype, VisitsEveryDtypeKindAndStorageClass) {
  const SyntheticSource source({SyntheticOptions::Kind::EveryDtype, 1, 5});
  std::set<std::tuple<DType, ChannelKind, StorageClass>> kinds;
  for (const Channel& channel : source.schema()->channels)
    kinds.insert({channel.dtype, channel.kind, channel.storage});
  EXPECT_EQ(kinds.size(), 44u);
}

TEST(SyntheticSpark, ThresholdsFallAndDirectDensityRises) {
  const SyntheticSource source({SyntheticOptions::Kind::Spark, 1500, 5});
  const Channel& threshold = *source.schema()->find("threshold");
  const Channel& density = *source.schema()->find("density");
  const auto value = [&](const Channel& channel, const char* axis, const char* label, std::uint64_t row) {
    return values_as<float>(
        *source.frame(row)->find(channel.id))[static_cast<std::size_t>(channel.label_index(axis, label))];
  };
  EXPECT_LT(value(threshold, "stat", "theta", 1400), value(threshold, "stat", "theta", 0) - 1.0f);
  EXPECT_GT(value(density, "reason", "direct", 1400), value(density, "reason", "direct", 0) + 0.3f);
}

}  // namespace
}  // namespace sparsescope::trace
