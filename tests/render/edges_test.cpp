// Edges: where the shader draws them, where the CPU says they are, and which one a pointer finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "tests/render/render_support.h"
#include "viz/widgets/draw_payload.h"
#include "viz/widgets/edge_picker.h"

namespace sparsescope {
namespace {

using test::Canvas;
using test::channel_distance;
using test::pixel;

constexpr std::uint32_t kInk = IM_COL32(255, 255, 255, 255);

EdgeInstance edge(std::uint32_t from, std::uint32_t to, EdgeKind kind, float width = 3,
                  plot::Dash dash = plot::Dash::Solid) {
  EdgeInstance made;
  made.from = from;
  made.to = to;
  made.ink = kInk;
  made.width = width;
  made.kind = kind;
  made.dash = static_cast<std::uint8_t>(dash);
  return made;
}

double brightness(const render::Pixels& pixels, ImVec2 at) {
  return (pixel(pixels, static_cast<int>(at.x), static_cast<int>(at.y)) & 255) / 255.0;
}

render::Pixels drawn(Canvas& canvas, const EdgeBatchPtr& batch, const EdgeView& view) {
  return canvas.frame([&] {
    ImGui::GetWindowDrawList()->AddRectFilled({0, 0}, ImGui::GetIO().DisplaySize, IM_COL32(0, 0, 0, 255));
    draw_edges(ImGui::GetWindowDrawList(), batch, view);
  });
}

TEST(Edges, TheShaderDrawsWhereTheCpuSays) {
  Canvas canvas(400, 300);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  EdgeView view;
  view.origin = {20.5f, 250.5f};
  view.scale = {40, -60};
  view.arc_height = 150;
  for (const EdgeKind kind : {EdgeKind::Straight, EdgeKind::Curve, EdgeKind::Arc}) {
    const EdgeBatchPtr batch =
        EdgeBatch::make({{0, 1}, {8, 2.5f}, {3, 0}}, {edge(1, 0, kind), edge(2, 1, kind)});
    const render::Pixels pixels = drawn(canvas, batch, view);
    const EdgePicker picker(batch);
    std::vector<ImVec2> all;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto points = curve_points(*batch, i, view);
      for (std::size_t k = 0; k < points.size(); ++k) {
        all.push_back(points[k]);
        if (k == 0) continue;
        const ImVec2 middle{(points[k].x + points[k - 1].x) / 2, (points[k].y + points[k - 1].y) / 2};
        all.push_back(middle);
        if (middle.x < 1 || middle.x >= 399 || middle.y < 1 || middle.y >= 299) continue;
        EXPECT_GT(brightness(pixels, middle), 0.9) << static_cast<int>(kind) << ' ' << i << ' ' << k;
      }
    }
    // And nowhere else.
    for (int y = 0; y < pixels.height; ++y) {
      for (int x = 0; x < pixels.width; ++x) {
        if (brightness(pixels, {static_cast<float>(x), static_cast<float>(y)}) == 0) continue;
        const bool near =
            picker.nearest(view, {static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f}, 3.5f)
                .has_value();
        ASSERT_TRUE(near) << static_cast<int>(kind) << ' ' << x << ' ' << y;
      }
    }
  }
}

TEST(Edges, ArcsRiseOverEdgesToTheLeftAndStayBelowTheirHeight) {
  const EdgeBatchPtr batch =
      EdgeBatch::make({{0, 0}, {100, 0}}, {edge(1, 0, EdgeKind::Arc), edge(0, 1, EdgeKind::Arc)});
  EdgeView view;
  view.origin = {10, 200};
  const auto over = curve_points(*batch, 0, view), under = curve_points(*batch, 1, view);
  EXPECT_NEAR(over[kEdgeSegments / 2].y, 150, 0.01);  // half a circle
  EXPECT_NEAR(under[kEdgeSegments / 2].y, 250, 0.01);
  view.arc_height = 20;
  EXPECT_NEAR(curve_points(*batch, 0, view)[kEdgeSegments / 2].y, 180, 0.01);
  EXPECT_EQ(over[0].x, 110);
  EXPECT_EQ(over[kEdgeSegments].x, 10);
}

TEST(Edges, AlphaIsWeighedOnceAndWidthIsCoverage) {
  Canvas canvas(200, 100);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  EdgeInstance half = edge(0, 1, EdgeKind::Straight, 6);
  half.ink = IM_COL32(255, 255, 255, 128);
  const render::Pixels pixels =
      drawn(canvas,
            EdgeBatch::make({{10, 20.5f}, {190, 20.5f}, {10, 50.5f}, {190, 50.5f}, {10, 80.5f}, {190, 80.5f}},
                            {half, edge(2, 3, EdgeKind::Straight, 1), edge(4, 5, EdgeKind::Straight, 0.5f)}),
            EdgeView{});
  EXPECT_NEAR(brightness(pixels, {100, 20}), 0.5, 0.01);
  EXPECT_NEAR(brightness(pixels, {47, 20}), 0.5, 0.01);  // where segments meet, too
  EXPECT_NEAR(brightness(pixels, {100, 50}), 1, 0.01);
  EXPECT_NEAR(brightness(pixels, {100, 80}), 0.5, 0.02);
  EXPECT_EQ(brightness(pixels, {100, 65}), 0);
}

TEST(Edges, DashesCoverTheirShare) {
  Canvas canvas(460, 90);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const EdgeBatchPtr batch = EdgeBatch::make({{10, 20.5f}, {450, 20.5f}, {10, 50.5f}, {450, 50.5f}},
                                             {edge(0, 1, EdgeKind::Straight, 2, plot::Dash::Dashed),
                                              edge(2, 3, EdgeKind::Straight, 2, plot::Dash::Dotted)});
  const render::Pixels pixels = drawn(canvas, batch, EdgeView{});
  double dashed = 0, dotted = 0;
  for (int x = 15; x < 445; ++x) {
    dashed += brightness(pixels, {static_cast<float>(x), 20});
    dotted += brightness(pixels, {static_cast<float>(x), 50});
  }
  EXPECT_NEAR(dashed / 430, 0.6, 0.03);
  EXPECT_NEAR(dotted / 430, 0.3, 0.03);
}

TEST(Edges, FiftyThousandAreOneDrawAndUploadedOnce) {
  Canvas canvas(300, 200);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  std::vector<ImVec2> nodes;
  for (int i = 0; i < 1000; ++i) nodes.push_back({static_cast<float>(i) * 0.3f, i % 2 == 0 ? 50.f : 150.f});
  std::vector<EdgeInstance> edges;
  for (std::uint32_t i = 0; i < 50'000; ++i)
    edges.push_back(edge(i % 1000, (i * 7 + 1) % 1000, EdgeKind::Curve, 0.5f));
  const EdgeBatchPtr batch = EdgeBatch::make(nodes, edges);
  EdgeView view;
  for (int i = 0; i < 2; ++i) {
    view.origin.x = static_cast<float>(i);  // a camera that moves uploads nothing
    drawn(canvas, batch, view);
  }
  EXPECT_EQ(canvas.painter().edges().statistics().uploads, 1u);
  EXPECT_EQ(canvas.painter().edges().statistics().draws, 2u);
  EXPECT_EQ(canvas.edge_batches.size(), 1u);
  EXPECT_LT(canvas.vertices, 100);
  edges.push_back(edges[0]);
  EXPECT_THROW(EdgeBatch::make(nodes, edges), std::logic_error);
}

TEST(Edges, ThePointerFindsTheNearestAndTheTopmostOfEquals) {
  const EdgeBatchPtr batch = EdgeBatch::make(
      {{0, 0}, {100, 0}, {0, 40}, {100, 40}},
      {edge(0, 1, EdgeKind::Straight), edge(2, 3, EdgeKind::Curve), edge(0, 1, EdgeKind::Straight)});
  const EdgePicker picker(batch);
  EXPECT_EQ(picker.nearest(EdgeView{}, {50, 2}, 8), 2u);
  EXPECT_EQ(picker.nearest(EdgeView{}, {50, 38}, 8), 1u);
  EXPECT_FALSE(picker.nearest(EdgeView{}, {50, 20}, 8));
  EXPECT_FALSE(EdgePicker(EdgeBatch::make({}, {})).nearest(EdgeView{}, {50, 20}, 8));
}

// Looks at every segment of every edge.
std::optional<std::size_t> nearest_of_all(const EdgeBatch& batch, const EdgeView& view, ImVec2 pixel,
                                          float most_pixels) {
  std::optional<std::size_t> nearest;
  float best = most_pixels * most_pixels;
  for (std::size_t i = 0; i < batch.edges().size(); ++i) {
    const auto points = curve_points(batch, i, view);
    for (std::size_t k = 1; k < points.size(); ++k) {
      const ImVec2 a = points[k - 1], b = points[k], along{b.x - a.x, b.y - a.y},
                   off{pixel.x - a.x, pixel.y - a.y};
      const float length = along.x * along.x + along.y * along.y;
      const float share = length > 0 ? std::clamp((off.x * along.x + off.y * along.y) / length, 0.f, 1.f) : 0;
      const ImVec2 rest{off.x - along.x * share, off.y - along.y * share};
      const float distance = rest.x * rest.x + rest.y * rest.y;
      if (distance > best) continue;
      best = distance;
      nearest = i;
    }
  }
  return nearest;
}

TEST(Edges, ThePointerFindsAmongManyWhatLookingAtEachWouldFind) {
  std::mt19937 random(11);
  const auto below = [&](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
  const auto between = [&](float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random);
  };
  int found = 0;
  for (int round = 0; round < 24; ++round) {
    // On a line, in two rows as between layers, and anywhere.
    const int shape = round % 3;
    std::vector<ImVec2> nodes;
    for (int i = 0; i < 120; ++i) {
      const float y = shape == 0 ? 0 : shape == 1 ? static_cast<float>(i % 2) : between(0, 3);
      nodes.push_back({shape == 2 ? between(0, 60) : static_cast<float>(i / 2), y});
    }
    std::vector<EdgeInstance> edges;
    const std::uint32_t count = round < 3 ? 1 + below(12) : 3000;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto kind = static_cast<EdgeKind>(round % 2 == 0 ? below(3) : shape == 1 ? 1u : 2u);
      edges.push_back(edge(below(120), below(120), kind));
    }
    const EdgeBatchPtr batch = EdgeBatch::make(nodes, edges);
    const EdgePicker picker(batch);
    for (int look = 0; look < 40; ++look) {
      EdgeView view;
      view.origin = {between(-200, 60), between(100, 300)};
      view.scale = {between(2, 20), shape == 0 ? 0 : between(-90, -30)};
      view.arc_height = between(20, 400);
      const ImVec2 pixel{between(0, 600), between(0, 320)};
      const float reach = between(1, 9);
      const auto nearest = picker.nearest(view, pixel, reach);
      EXPECT_EQ(nearest, nearest_of_all(*batch, view, pixel, reach)) << round << ' ' << look;
      found += nearest ? 1 : 0;
    }
  }
  EXPECT_GT(found, 200);
}

TEST(Edges, AnEdgeToNowhereIsABug) {
  EXPECT_THROW(EdgeBatch::make({{0, 0}}, {edge(0, 1, EdgeKind::Arc)}), std::logic_error);
}

TEST(Edges, VersionIsTheContent) {
  const auto version = [](float width) {
    return EdgeBatch::make({{0, 0}, {1, 1}}, {edge(0, 1, EdgeKind::Arc, width)})->version();
  };
  EXPECT_EQ(version(1), version(1));
  EXPECT_NE(version(1), version(2));
}

}  // namespace
}  // namespace sparsescope
