// The heatmap shader against heatmap_pixels(), pixel by pixel.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/render/render_support.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope {
namespace {

using test::Canvas;
using test::channel_distance;
using test::patterned_cells;
using test::pixel;

// Draws a payload over the whole canvas.
render::Pixels drawn(Canvas& canvas, const HeatmapPayload& payload) {
  return canvas.frame([&] {
    ImDrawList* list = ImGui::GetWindowDrawList();
    add_payload(list, payload);
  });
}

struct Differences {
  int compared = 0, exact = 0;
  int worst = 0;
};

// What the shader drew against what the CPU says; beside the map the window's panel shows.
Differences compare(const render::Pixels& pixels, const HeatmapPayload& payload) {
  const std::vector<std::uint8_t> wanted = heatmap_pixels(payload, 0, 0, pixels.width, pixels.height);
  Differences out;
  for (int y = 0; y < pixels.height; ++y) {
    for (int x = 0; x < pixels.width; ++x) {
      const std::uint8_t* at =
          wanted.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(pixels.width) +
                           static_cast<std::size_t>(x)) *
                              4;
      const std::uint32_t color =
          at[3] == 0 ? sparsescope::color(Token::Panel)
                     : static_cast<std::uint32_t>(at[0] | at[1] << 8 | at[2] << 16) | 0xff000000u;
      const int distance = channel_distance(pixel(pixels, x, y), color);
      ++out.compared;
      out.exact += distance == 0 ? 1 : 0;
      out.worst = std::max(out.worst, distance);
    }
  }
  return out;
}

TEST(HeatmapShader, EveryMapAndScaleMatchesTheCpu) {
  Canvas canvas(212, 148);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = patterned_cells(37, 53, viz::Fold::Largest);
  for (int map = 0; map < kColorMaps; ++map) {
    for (const ColorScaleKind kind :
         {ColorScaleKind::Linear, ColorScaleKind::Log, ColorScaleKind::Symlog, ColorScaleKind::Rank}) {
      ColorScale scale = fitted_scale(*cells, static_cast<ColorMap>(map), kind);
      if (kind == ColorScaleKind::Linear) {  // something under and something over
        scale.low *= 0.8f;
        scale.high *= 0.8f;
      }
      if (kind == ColorScaleKind::Symlog) scale.linear = 0.1f;
      const HeatmapPayload payload = whole_heatmap(cells, scale, 212, 148);
      const Differences found = compare(drawn(canvas, payload), payload);
      // A logarithm may differ in its last bit and choose the neighbouring entry of 256.
      EXPECT_LE(found.worst, kind == ColorScaleKind::Linear ? 0 : 6) << map << ' ' << scale_name(kind);
      EXPECT_GE(found.exact, found.compared * 999 / 1000) << map << ' ' << scale_name(kind);
    }
  }
}

TEST(HeatmapShader, EveryLevelOfThePyramidMatchesTheCpu) {
  Canvas canvas(201, 137);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  for (const viz::Fold fold : {viz::Fold::Largest, viz::Fold::LargestMagnitude}) {
    const viz::CellsPtr cells = patterned_cells(137, 201, fold);
    for (int down = 0; down <= cells->levels_down(); ++down) {
      for (int across = 0; across <= cells->levels_across(); ++across) {
        for (const std::uint32_t mean : {0u, 1u}) {
          HeatmapPayload payload = whole_heatmap(cells, fitted_scale(*cells, ColorMap::RdBu), 201, 137);
          payload.level_down = down;
          payload.level_across = across;
          payload.has_mean = mean;
          const Differences found = compare(drawn(canvas, payload), payload);
          EXPECT_EQ(found.worst, 0) << down << ' ' << across << ' ' << mean;
        }
      }
    }
  }
}

TEST(HeatmapShader, AnyZoomAndBothDirectionsMatchTheCpu) {
  Canvas canvas(320, 200);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = patterned_cells(97, 131, viz::Fold::Largest);
  struct Zoom {
    double left, right, top, bottom;
  };
  for (const Zoom& zoom :
       {Zoom{20.25, 280.5, 15.125, 170.25}, Zoom{280, 20, 10, 190}, Zoom{10, 300, 190.5, 8.25},
        Zoom{-3000, 5000, -900, 1500}, Zoom{-1e6, 1.5e6, -7e5, 2e6}, Zoom{100, 109, 80, 95}}) {
    HeatmapPayload payload = whole_heatmap(cells, fitted_scale(*cells, ColorMap::Viridis), 320, 200);
    payload.left = zoom.left;
    payload.right = zoom.right;
    payload.top = zoom.top;
    payload.bottom = zoom.bottom;
    const auto [down, across] =
        cells->level_for(131 / std::abs(zoom.right - zoom.left), 97 / std::abs(zoom.bottom - zoom.top));
    payload.level_down = down;
    payload.level_across = across;
    const Differences found = compare(drawn(canvas, payload), payload);
    // Where a border of cells passes within a millionth of a pixel's centre either side is right.
    EXPECT_GE(found.exact, found.compared - found.compared / 500) << zoom.left;
  }
}

TEST(HeatmapShader, OneHotCellOfSixteenMillionSurvivesEveryZoom) {
  Canvas canvas(640, 400);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  for (const viz::CellIndex hot :
       {viz::CellIndex{0, 0}, viz::CellIndex{4095, 4095}, viz::CellIndex{1234, 3211}}) {
    std::vector<float> values(4096ull * 4096ull, 0.f);
    values[static_cast<std::size_t>(hot.row) * 4096 + static_cast<std::size_t>(hot.column)] = 1;
    const viz::CellsPtr cells = viz::Cells::make(4096, 4096, std::move(values));
    for (const double size : {7.0, 64.5, 300.0, 397.3}) {
      HeatmapPayload payload = whole_heatmap(cells, ColorScale{}, 1, 1);
      payload.right = size * 1.5;
      payload.bottom = size;
      const auto [down, across] = cells->level_for(4096 / payload.right, 4096 / payload.bottom);
      payload.level_down = down;
      payload.level_across = across;
      const render::Pixels pixels = drawn(canvas, payload);
      int hot_pixels = 0;
      for (int y = 0; y < pixels.height; ++y) {
        for (int x = 0; x < pixels.width; ++x)
          hot_pixels += pixel(pixels, x, y) == color_map(ColorMap::Cividis)[255] ? 1 : 0;
      }
      EXPECT_GE(hot_pixels, 1) << hot.row << ' ' << size;
      EXPECT_LE(hot_pixels, 9) << hot.row << ' ' << size;
    }
  }
}

TEST(HeatmapShader, TilesJoinWithoutASeam) {
  Canvas canvas(300, 220);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = patterned_cells(2100, 4200, viz::Fold::Largest);
  HeatmapPayload payload = whole_heatmap(cells, fitted_scale(*cells, ColorMap::Cividis), 300, 220);
  // One pixel a cell, around the corner of four tiles.
  payload.left = 150 - 2048;
  payload.right = payload.left + 4200;
  payload.top = 110 - 2048;
  payload.bottom = payload.top + 2100;
  payload.level_down = payload.level_across = 0;
  const Differences found = compare(drawn(canvas, payload), payload);
  EXPECT_EQ(found.worst, 0);
  EXPECT_EQ(canvas.painter().heatmaps().statistics().tiles, 4u);
}

TEST(HeatmapShader, TilesAreUploadedOnceAndGivenBackBeyondTheBudget) {
  Canvas canvas(256, 256);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  render::HeatmapPainter& painter = canvas.painter().heatmaps();
  const ColorScale scale;
  const auto payload_of = [&](const viz::CellsPtr& cells) { return whole_heatmap(cells, scale, 256, 256); };
  std::vector<viz::CellsPtr> many;
  for (unsigned i = 0; i < 5; ++i)
    many.push_back(patterned_cells(200, 200, viz::Fold::Largest, i + 1, false));
  drawn(canvas, payload_of(many[0]));
  drawn(canvas, payload_of(many[0]));
  EXPECT_EQ(painter.statistics().uploads, 1u);
  painter.set_budget(2 * 200 * 200 * sizeof(float));
  for (const viz::CellsPtr& cells : many) drawn(canvas, payload_of(cells));
  EXPECT_EQ(painter.statistics().tiles, 2u);
  EXPECT_EQ(painter.statistics().uploads, 5u);
  drawn(canvas, payload_of(many[0]));  // was given back, comes again
  EXPECT_EQ(painter.statistics().uploads, 6u);
}

TEST(HeatmapShader, DifferencesMatchTheCpu) {
  Canvas canvas(330, 250);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr a = patterned_cells(500, 700, viz::Fold::Largest, 1),
                      b = patterned_cells(500, 700, viz::Fold::Largest, 2);
  const viz::CellsPtr difference = plot::difference_of(b, a);
  EXPECT_EQ(plot::difference_of(b, a), difference);  // kept
  const ColorScale scale = fitted_scale(*difference, ColorMap::BrBG);
  EXPECT_EQ(scale.low, -scale.high);
  const HeatmapPayload payload = whole_heatmap(difference, scale, 330, 250);
  EXPECT_EQ(compare(drawn(canvas, payload), payload).worst, 0);
}

TEST(HeatmapShader, AbsentCellsAreHatchedAndNeverTheMiddleOfAMap) {
  Canvas canvas(120, 60);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = viz::Cells::make(1, 2, {0.f, viz::Cells::absent()});
  for (const ColorMap map : {ColorMap::RdBu, ColorMap::BrBG}) {
    ColorScale scale;
    scale.map = map;
    scale.low = -1;
    const HeatmapPayload payload = whole_heatmap(cells, scale, 120, 60);
    const render::Pixels pixels = drawn(canvas, payload);
    EXPECT_EQ(compare(pixels, payload).worst, 0);
    const std::uint32_t middle = pixel(pixels, 30, 30);
    EXPECT_EQ(middle, color_map(map)[128]);
    int ink = 0, paper = 0;
    for (int y = 0; y < 60; ++y) {
      for (int x = 60; x < 120; ++x) {
        const std::uint32_t at = pixel(pixels, x, y);
        ink += at == payload.absent_ink ? 1 : 0;
        paper += at == payload.absent_paper ? 1 : 0;
        EXPECT_GT(channel_distance(at, middle), 16);
      }
    }
    EXPECT_EQ(ink + paper, 60 * 60);
    EXPECT_GT(ink, 60 * 60 / 8);
    EXPECT_GT(paper, ink);
  }
}

TEST(HeatmapShader, InvalidCellsAreStripedAndNeverANumber) {
  Canvas canvas(120, 60);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const float wrong = std::numeric_limits<float>::quiet_NaN();
  const viz::CellsPtr cells = viz::Cells::make(1, 2, {0.5f, wrong});
  const HeatmapPayload payload = whole_heatmap(cells, ColorScale{}, 120, 60);
  const render::Pixels pixels = drawn(canvas, payload);
  EXPECT_EQ(compare(pixels, payload).worst, 0);
  int ink = 0, paper = 0, other = 0;
  for (int y = 0; y < 60; ++y) {
    for (int x = 60; x < 120; ++x) {
      const std::uint32_t at = pixel(pixels, x, y);
      (at == payload.invalid_ink ? ink : at == payload.invalid_paper ? paper : other) += 1;
    }
  }
  EXPECT_EQ(other, 0);
  EXPECT_NEAR(ink, 60 * 60 / 3, 60);
  EXPECT_EQ(ink + paper, 60 * 60);
  EXPECT_EQ(pixel(pixels, 30, 30), color_map(ColorMap::Cividis)[128]);
}

TEST(HeatmapShader, ImGuiDrawsOnAsBefore) {
  Canvas canvas(200, 100);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  const viz::CellsPtr cells = viz::Cells::make(1, 1, {0.5f});
  const render::Pixels pixels = canvas.frame([&] {
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddRectFilled({0, 0}, {50, 50}, IM_COL32(255, 0, 0, 255));
    list->PushClipRect({60, 10}, {90, 40}, true);
    add_payload(list, whole_heatmap(cells, ColorScale{}, 200, 100));
    list->PopClipRect();
    list->AddRectFilled({100, 0}, {150, 50}, IM_COL32(0, 255, 0, 128));
    list->AddText({10, 70}, IM_COL32(255, 255, 255, 255), "text");
  });
  EXPECT_EQ(pixel(pixels, 25, 25), IM_COL32(255, 0, 0, 255));
  EXPECT_EQ(pixel(pixels, 75, 25), color_map(ColorMap::Cividis)[128]);
  EXPECT_EQ(pixel(pixels, 95, 25), color(Token::Panel));  // clipped
  EXPECT_NEAR(pixel(pixels, 125, 25) >> 8 & 255, (255 + 0x19) / 2, 2);
}

}  // namespace
}  // namespace sparsescope
