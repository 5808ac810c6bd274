#include "viz/model/series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sparsescope::viz {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Bucket brute_force(const std::vector<double>& values, std::size_t first, std::size_t last) {
  Bucket bucket;
  for (std::size_t i = first; i < last; ++i) bucket.add(values[i]);
  return bucket;
}

// Noise with stretches of not-a-number and single infinities.
std::vector<double> rough_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  while (values.size() < count) {
    if (random() % 500 == 0) values.insert(values.end(), random() % 40, kNaN);
    if (random() % 300 == 0) values.push_back(random() % 2 ? INFINITY : -INFINITY);
    values.push_back(normal(random) + std::sin(static_cast<double>(values.size()) / 1000));
  }
  values.resize(count);
  return values;
}

TEST(Series, SummaryOfAnyRangeIsThatOfItsSamples) {
  for (std::size_t count : {1u, 15u, 16u, 17u, 255u, 256u, 257u, 4096u, 4097u, 70'001u}) {
    const std::vector<double> values = rough_values(count, count);
    Series series;
    for (double value : values) series.append(value);
    std::mt19937_64 random(count);
    for (int round = 0; round < 300; ++round) {
      const std::size_t a = random() % (count + 1), b = random() % (count + 1);
      const std::size_t first = std::min(a, b), last = std::max(a, b);
      ASSERT_EQ(series.fold(first, last), brute_force(values, first, last))
          << count << " samples, " << first << " to " << last;
    }
  }
}

TEST(Series, EverySummaryIsRightWhileItGrows) {
  const std::vector<double> values = rough_values(5000, 3);
  Series series;
  for (std::size_t i = 0; i < values.size(); ++i) {
    series.append(values[i]);
    if (i % 97 != 0) continue;
    ASSERT_EQ(series.fold(0, i + 1), brute_force(values, 0, i + 1)) << i;
  }
}

TEST(Series, SinglePrecisionKeepsWhatAFloatHolds) {
  Series series(Series::Precision::Single);
  series.append(0.1);
  EXPECT_EQ(series.at(0), static_cast<double>(0.1f));
  EXPECT_EQ(series.fold(0, 1).maximum, static_cast<double>(0.1f));
}

TEST(Series, NotANumberIsCountedAndNeverAValue) {
  Series series;
  for (double value : std::vector<double>{1.0, kNaN, INFINITY, -INFINITY, 3.0}) series.append(value);
  const Bucket bucket = series.fold(0, 5);
  EXPECT_EQ(bucket.count, 2u);
  EXPECT_EQ(bucket.invalid, 3u);
  EXPECT_EQ(bucket.minimum, 1);
  EXPECT_EQ(bucket.maximum, 3);
  EXPECT_FALSE(series.fold(1, 4).has_value());
  EXPECT_EQ(series.find_invalid(0, 5), 1u);
  EXPECT_EQ(series.find_invalid(2, 5), 2u);
  EXPECT_EQ(series.find_invalid(4, 5), 5u);
}

TEST(Series, TheFirstNotANumberIsFoundAmongMany) {
  for (std::size_t place : {0u, 16u, 4095u, 54'321u, 99'999u}) {
    Series series;
    for (std::size_t i = 0; i < 100'000; ++i) series.append(i >= place && i % 7 == place % 7 ? kNaN : 1.0);
    EXPECT_EQ(series.find_invalid(0, 100'000), place);
  }
}

TEST(Series, AQueryOfTenMillionSamplesTouchesSomeNodesAPixelAndIsExact) {
  constexpr std::size_t kSamples = 10'000'000, kPixels = 1200;
  Series series(Series::Precision::Single);
  std::vector<double> values(kSamples);
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < kSamples; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    values[i] = static_cast<float>(static_cast<double>(state >> 40) * 1e-3);
    series.append(values[i]);
  }
  std::mt19937_64 random(5);
  for (int round = 0; round < 20; ++round) {
    const std::size_t a = random() % kSamples, b = random() % kSamples;
    const std::size_t first = round == 0 ? 0 : std::min(a, b),
                      last = round == 0 ? kSamples : std::max(a, b) + 1;
    const Series::View view = series.query(first, last, kPixels);
    ASSERT_LE(view.buckets.size(), kPixels);
    ASSERT_EQ(view.begins.size(), view.buckets.size() + 1);
    ASSERT_EQ(view.begins.front(), first);
    ASSERT_EQ(view.begins.back(), last);
    // Two borders, at most 15 nodes each, on the four levels that a pixel of 8,000 samples spans.
    EXPECT_LE(view.touched, kPixels * 2 * (Series::kFanOut - 1) * 4);
    for (std::size_t i = 0; i < view.buckets.size(); i += 97) {
      ASSERT_EQ(view.buckets[i], brute_force(values, view.begins[i], view.begins[i + 1]));
    }
  }
  // Below 1.5 times the raw floats and the summaries of sixteen.
  EXPECT_LT(series.bytes(), kSamples * sizeof(float) + kSamples / 16 * sizeof(Bucket) * 5 / 4);
}

TEST(Series, AQueryGivesNoMoreBucketsThanSamples) {
  Series series;
  for (int i = 0; i < 10; ++i) series.append(i);
  EXPECT_EQ(series.query(2, 7, 1000).buckets.size(), 5u);
  EXPECT_TRUE(series.query(3, 3, 1000).buckets.empty());
  EXPECT_TRUE(Series().query(0, 0, 1000).buckets.empty());
}

TEST(Series, ThinnedPartsKeepTheirSummaries) {
  const std::vector<double> values = rough_values(50'000, 9);
  Series series;
  for (double value : values) series.append(value);
  const std::size_t before = series.bytes();
  EXPECT_GT(series.thin_before(40'000), 0u);
  EXPECT_LT(series.bytes(), before);
  const std::size_t exact = series.exact_from();
  EXPECT_GT(exact, 39'000u);
  EXPECT_LE(exact, 40'000u);
  EXPECT_TRUE(std::isnan(series.at(exact - 1)));
  EXPECT_EQ(series.fold(exact, 50'000), brute_force(values, exact, 50'000));
  EXPECT_EQ(series.fold(exact + 3, 49'990), brute_force(values, exact + 3, 49'990));
  // Borders inside the thinned part move down to the next summary.
  EXPECT_EQ(series.fold(1005, 2007), brute_force(values, 992, 2000));
  EXPECT_EQ(series.fold(0, 50'000), brute_force(values, 0, 50'000));
  // Neighbouring ranges still cover everything once.
  Bucket sum;
  for (std::size_t i = 0; i < 50'000; i += 10) sum.add(series.fold(i, i + 10));
  EXPECT_EQ(sum, brute_force(values, 0, 50'000));
}

TEST(Smoother, StartsAtTheFirstValueAndNotAtZero) {
  Smoother smoother(50);
  EXPECT_DOUBLE_EQ(smoother.add(8.3), 8.3);
  for (int i = 0; i < 200; ++i) EXPECT_NEAR(smoother.add(8.3), 8.3, 1e-12);
}

TEST(Smoother, IsTheWeightedMeanOfWhatCame) {
  const std::vector<double> values = {4, 1, 7, 2, 9, 3};
  const double window = 4, decay = 1 - 1 / window;
  Smoother smoother(window);
  for (std::size_t n = 0; n < values.size(); ++n) {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i <= n; ++i) {
      const double weight = std::pow(decay, static_cast<double>(n - i));
      sum += weight * values[i];
      weights += weight;
    }
    EXPECT_NEAR(smoother.add(values[n]), sum / weights, 1e-12);
  }
}

TEST(Smoother, PassesOverWhatIsNoNumber) {
  Smoother with(10), without(10);
  EXPECT_TRUE(std::isnan(with.add(kNaN)));
  with.add(2);
  without.add(2);
  const double held = with.add(INFINITY);
  EXPECT_DOUBLE_EQ(held, 2);
  EXPECT_DOUBLE_EQ(with.add(5), without.add(5));
}

TEST(Smoother, AWindowOfOneChangesNothing) {
  Smoother smoother(1);
  for (double value : {3.0, -2.0, 7.5}) EXPECT_DOUBLE_EQ(smoother.add(value), value);
}

}  // namespace
}  // namespace sparsescope::viz
