#include "viz/model/takeaway.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sparsescope::viz {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<Column> line(double start, double per_step, int steps) {
  std::vector<Column> columns;
  for (int step = 0; step <= steps; step += 10) {
    Column column{static_cast<double>(step), static_cast<std::uint64_t>(step), {}};
    column.bucket.add(start + per_step * step);
    columns.push_back(column);
  }
  return columns;
}

TEST(Takeaway, TheSlopeIsThatOfTheLeastSquaresLine) {
  EXPECT_NEAR(slope_per_thousand(line(10, -0.00021, 1000), 0, 1000), -0.21, 1e-9);
  EXPECT_NEAR(slope_per_thousand(line(1e6, 0.5, 1000), 500, 1000), 500, 1e-6);
  std::vector<Column> with_gap = line(10, -0.00021, 1000);
  with_gap[3].bucket = {};
  with_gap[3].bucket.add(kNaN);
  EXPECT_NEAR(slope_per_thousand(with_gap, 0, 1000), -0.21, 1e-9);
  EXPECT_TRUE(std::isnan(slope_per_thousand(line(10, 1, 10), 0, 1000)));
  EXPECT_TRUE(std::isnan(slope_per_thousand({}, 0, 1000)));
}

TEST(Takeaway, LayersAreNamedAsSpans) {
  EXPECT_EQ(layers_in_words({1, 2, 3, 4, 5}, 6), "layers 1–5");
  EXPECT_EQ(layers_in_words({0}, 6), "layer 0");
  EXPECT_EQ(layers_in_words({0, 2, 3, 4}, 6), "layers 0 and 2–4");
  EXPECT_EQ(layers_in_words({0, 2, 3, 5}, 6), "layers 0, 2, 3 and 5");
  EXPECT_EQ(layers_in_words({1, 2}, 6), "layers 1 and 2");
  EXPECT_EQ(layers_in_words({0, 1, 2}, 3), "all layers");
}

TEST(Takeaway, FallingLayersAndTheOneThatHolds) {
  const std::vector<LayerSlope> slopes = {{0, -0.004}, {1, -0.2},  {2, -0.21},
                                          {3, -0.22},  {4, -0.21}, {5, -0.21}};
  EXPECT_EQ(slopes_in_words(slopes, 1200, 0.02), "Falling 0.21 per 1,000 steps in layers 1–5; layer 0 holds");
}

TEST(Takeaway, DirectionsAreKeptApart) {
  const std::vector<LayerSlope> slopes = {{0, 0.5}, {1, -0.4}, {2, 0.0}};
  EXPECT_EQ(slopes_in_words(slopes, 1000, 0.02),
            "Falling 0.4 per 1,000 steps in layer 1; rising 0.5 per 1,000 steps in layer 0; layer 2 holds");
  EXPECT_EQ(slopes_in_words(std::vector<LayerSlope>{{0, 0.5}, {1, 0.5}}, 1000, 0.02),
            "Rising 0.5 per 1,000 steps in all layers");
  EXPECT_EQ(slopes_in_words(std::vector<LayerSlope>{{0, 0.001}, {1, 0}}, 1000, 0.02), "All layers hold");
  EXPECT_EQ(slopes_in_words(std::vector<LayerSlope>{{0, -0.1}, {1, -0.3}}, 1000, 0.02),
            "Falling 0.1 to 0.3 per 1,000 steps in all layers");
}

TEST(Takeaway, ASlowLayerThatStillMovesIsNotSaidToHold) {
  // A tenth of the fastest, but 0.4 sigmas over the span.
  const std::vector<LayerSlope> slopes = {{0, -0.2}, {1, -3.0}};
  EXPECT_EQ(slopes_in_words(slopes, 2000, 0.02), "Falling 0.2 to 3 per 1,000 steps in all layers");
}

TEST(Takeaway, DensitySaysWhatMadeIt) {
  DensityFacts facts;
  facts.now = 0.71;
  facts.start = 0.23;
  facts.start_fallback = 0.23;
  facts.now_direct = 0.55;
  facts.now_inherited = 0.11;
  facts.now_fallback = 0.05;
  EXPECT_EQ(density_in_words(facts),
            "0.71 now, 0.23 at the start; the fallback window made all of the first 0.23; direct "
            "declarations make 77 % of it now");
  facts.now = kNaN;
  EXPECT_EQ(density_in_words(facts), "");
}

TEST(Takeaway, LossSaysWhereItIsAndWhereItGoes) {
  LossFacts facts{3.1416, 1236, -0.31, {}, 3.354, 0, 0};
  EXPECT_EQ(loss_in_words(facts),
            "3.142 nats per token at step 1,236, falling 0.31 per 1,000 steps; held-out 3.354");
  facts.per_thousand = 0.001;
  facts.held_out = kNaN;
  EXPECT_EQ(loss_in_words(facts), "3.142 nats per token at step 1,236, level");
  LossFacts smoothed = facts;
  smoothed.is_smoothed = true;
  EXPECT_EQ(loss_in_words(smoothed), "3.142 nats per token, smoothed, at step 1,236, level");
  facts.now = kNaN;
  facts.invalid_samples = 3;
  facts.first_invalid_step = 812;
  EXPECT_EQ(loss_in_words(facts), "Not a number in 3 samples since step 812");
}

}  // namespace
}  // namespace sparsescope::viz
