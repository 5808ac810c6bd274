// Budgets of a frame as counts: 4096 x 4096 cells, a million edges, ten million points.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/render/million_edges.h"
#include "tests/render/render_support.h"
#include "viz/model/series.h"

namespace sparsescope {
namespace {

using test::Canvas;

constexpr int kMostVertices = 200'000, kMostCommands = 64;

TEST(DrawBudget, AMapOfSixteenMillionCells) {
  Canvas canvas(1280, 800);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = viz::Cells::make(4096, 4096, std::vector<float>(4096ull * 4096ull, 0.5f));
  plot::AxisRange x, y;
  plot::Options options;
  options.x.fit = options.y.fit = {0, 4096};
  for (int i = 0; i < 3; ++i) {
    canvas.frame([&] {
      if (!plot::begin(options, x, y)) return;
      plot::heatmap(cells, {0, 4096}, {0, 4096}, ColorScale{});
      plot::end();
    });
  }
  EXPECT_LT(canvas.vertices, 2'000);
  EXPECT_LT(canvas.commands, kMostCommands);
  const auto statistics = canvas.painter().heatmaps().statistics();
  // Only what is seen is uploaded: about a value a pixel, not sixteen million.
  EXPECT_LE(statistics.bytes, 4ull * 2 * 1280 * 800 * 2);
  EXPECT_EQ(statistics.uploads, statistics.tiles);
  EXPECT_LE(statistics.draws, 3u * 4);
}

TEST(DrawBudget, AMillionEdgesFromAfarAndFromNear) {
  Canvas canvas(1280, 800);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::EdgeRollupPtr rollup = test::million_edges();
  for (const viz::Range shown : {viz::Range{0, 4096}, viz::Range{1000, 1200}}) {
    const viz::RoutingPicture picture = test::million_edge_picture(rollup, shown, 1280);
    EXPECT_TRUE(picture.content->ledger.is_exact());
    viz::RoutingBatches batches;
    batches.refresh(picture);
    plot::AxisRange x, y;
    plot::Options options;
    options.x.fit = shown;
    for (int i = 0; i < 2; ++i) {
      canvas.frame([&] {
        if (!plot::begin(options, x, y)) return;
        for (const auto& layer : batches.layers()) plot::edges(layer.edges, plot::edge_view(400));
        plot::end();
      });
    }
    EXPECT_EQ(canvas.edge_batches.size(), 1u) << "one draw a layer";
    EXPECT_LE(canvas.edge_batches[0].edges, kMostEdges);
    EXPECT_GT(canvas.edge_batches[0].edges, 1000u);
    EXPECT_LT(canvas.vertices, 2'000);
    EXPECT_LT(canvas.commands, kMostCommands);
  }
}

TEST(DrawBudget, TenMillionPoints) {
  Canvas canvas(1280, 800);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  viz::Series series;
  for (int i = 0; i < 10'000'000; ++i) series.append(std::sin(i * 1e-5) + (i % 97) * 1e-3);
  plot::AxisRange x, y;
  plot::Options options;
  options.x.fit = {0, 1e7};
  options.y.fit = {-1.2, 1.4};
  for (int i = 0; i < 2; ++i) {
    canvas.frame([&] {
      if (!plot::begin(options, x, y)) return;
      std::vector<double> xs, low, high, last;
      const viz::Series::View view =
          series.query(0, series.size(), static_cast<std::size_t>(plot::columns()));
      for (std::size_t i = 0; i < view.buckets.size(); ++i) {
        xs.push_back(static_cast<double>(view.begins[i]));
        low.push_back(view.buckets[i].minimum);
        high.push_back(view.buckets[i].maximum);
        last.push_back(view.buckets[i].last);
      }
      EXPECT_LE(xs.size(), static_cast<std::size_t>(plot::columns()));
      EXPECT_LT(view.touched, 400'000u);  // nodes, not ten million samples
      plot::band(xs, low, high, color(Token::Run1, 0.3f));
      plot::line(xs, last, {color(Token::Run1)});
      plot::end();
    });
  }
  EXPECT_LT(canvas.vertices, 20'000);
  EXPECT_LT(canvas.vertices, kMostVertices);
  EXPECT_LT(canvas.commands, kMostCommands);
}

}  // namespace
}  // namespace sparsescope
