#include "viz/model/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sparsescope::viz {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Format, ThousandsAreSeparated) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
  EXPECT_EQ(format_fixed(1234.5, 2), "1,234.50");
  EXPECT_EQ(format_fixed(-0.001, 2), "0.00");
}

TEST(Format, NumbersCarryAsManyDigitsAsTheyMean) {
  EXPECT_EQ(format_number(3.14159), "3.142");
  EXPECT_EQ(format_number(12345.678), "12,346");
  EXPECT_EQ(format_number(2.0), "2");
  EXPECT_EQ(format_number(0.25), "0.25");
  EXPECT_EQ(format_number(0.000012345), "1.23e-05");
  EXPECT_EQ(format_number(0), "0");
}

TEST(Format, AbsentIsADashAndNeverZero) {
  EXPECT_EQ(format_number(kNaN), "—");
  EXPECT_EQ(format_unit(kNaN, "nats"), "—");
  EXPECT_EQ(format_percent(kNaN), "—");
  EXPECT_EQ(format_number(INFINITY), "∞");
  EXPECT_EQ(format_quantity(-INFINITY), "-∞");
}

TEST(Format, QuantitiesBytesAndUnits) {
  EXPECT_EQ(format_quantity(2'410'000), "2.41 M");
  EXPECT_EQ(format_quantity(512), "512");
  EXPECT_EQ(format_quantity(999.9), "1 k");
  EXPECT_EQ(format_quantity(-3100), "-3.1 k");
  EXPECT_EQ(format_bytes(18.2 * 1024 * 1024), "18.2 MiB");
  EXPECT_EQ(format_bytes(1023), "1,023 B");
  EXPECT_EQ(format_bytes(1024), "1 KiB");
  EXPECT_EQ(format_unit(3.14159, "nats"), "3.142 nats");
  EXPECT_EQ(format_unit(3.14159, "1"), "3.142");
  EXPECT_EQ(format_percent(0.71), "71 %");
  EXPECT_EQ(format_percent(0.0324, 1), "3.2 %");
}

TEST(Format, DurationsAreSaidAsPeopleSayThem) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(0.04), "40 ms");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(59.97), "1 min");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(7500), "2 h 05 min");
  EXPECT_EQ(format_duration(-5), "-5 s");
}

TEST(Ticks, AreRoundInsideAndEvenlySpaced) {
  for (const auto& [low, high] :
       {std::pair{0.0, 1.0}, {0.0, 2040.0}, {1.9, 11.2}, {-3.0, 4.0}, {0.00012, 0.00031}, {1e6, 1.00001e6}}) {
    for (int wanted : {2, 4, 8}) {
      const std::vector<Tick> ticks = nice_ticks(low, high, wanted);
      ASSERT_FALSE(ticks.empty()) << low << " to " << high;
      EXPECT_LE(ticks.size(), static_cast<std::size_t>(wanted) + 1);
      const double slack = (high - low) * 1e-6;
      for (std::size_t i = 0; i < ticks.size(); ++i) {
        EXPECT_GE(ticks[i].value, low - slack);
        EXPECT_LE(ticks[i].value, high + slack);
        if (i == 0) continue;
        EXPECT_NEAR(ticks[i].value - ticks[i - 1].value, ticks[1].value - ticks[0].value, slack);
        EXPECT_NE(ticks[i].label, ticks[i - 1].label);
      }
    }
  }
}

TEST(Ticks, LabelsTellTheirValuesApart) {
  const std::vector<Tick> quarters = nice_ticks(0, 1, 4);
  ASSERT_EQ(quarters.size(), 5u);
  EXPECT_EQ(quarters[1].label, "0.25");
  EXPECT_EQ(nice_ticks(0, 2000, 4)[1].label, "500");
  EXPECT_EQ(nice_ticks(0, 2000, 4).back().label, "2,000");
  EXPECT_EQ(nice_ticks(0, 10, 4)[1].label, "2.5");
}

TEST(Ticks, ThereAreNoneWhereThereIsNoRange) {
  EXPECT_TRUE(nice_ticks(1, 1, 5).empty());
  EXPECT_TRUE(nice_ticks(2, 1, 5).empty());
  EXPECT_TRUE(nice_ticks(kNaN, 1, 5).empty());
  EXPECT_TRUE(nice_ticks(0, INFINITY, 5).empty());
}

TEST(Ticks, SecondsBreakAtMinutes) {
  const std::vector<Tick> ticks = duration_ticks(0, 600, 5);
  ASSERT_EQ(ticks.size(), 6u);
  EXPECT_EQ(ticks[1].label, "2 min");
  EXPECT_EQ(duration_ticks(0, 3, 4).front().label, "0 s");
}

TEST(NiceRange, HoldsTheValuesAndEndsAtRoundOnes) {
  EXPECT_EQ(nice_range(1.93, 8.31, 4), (Range{0, 10}));
  EXPECT_EQ(nice_range(0, 1, 4), (Range{0, 1}));
  const Range single = nice_range(5, 5, 4);
  EXPECT_LT(single.minimum, 5);
  EXPECT_GT(single.maximum, 5);
  EXPECT_EQ(nice_range(INFINITY, -INFINITY, 4), (Range{0, 1}));
}

}  // namespace
}  // namespace sparsescope::viz
