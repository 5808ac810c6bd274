// Heatmaps in a plot: where they lie, what the pointer finds, what the fingerprint of a picture counts.
#include <gtest/gtest.h>

#include "implot.h"
#include "tests/render/render_support.h"
#include "viz/views/draw_hash.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope {
namespace {

using test::patterned_cells;

// One frame of a plot over the whole window, without a surface.
class PlotFrame {
 public:
  PlotFrame() {
    ImGui::GetIO().DisplaySize = {600, 400};
    ImGui::GetIO().DeltaTime = 1 / 60.f;
    ImGui::GetIO().BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
  }
  ~PlotFrame() {
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
      texture->SetTexID(ImTextureID_Invalid);
      texture->SetStatus(ImTextureStatus_Destroyed);
    }
  }
  void draw(const plot::Options& options, const std::function<void()>& content) {
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize({600, 400});
    ImGui::Begin("plot", nullptr, ImGuiWindowFlags_NoDecoration);
    if (plot::begin(options, x, y)) {
      content();
      plot::end();
    }
    ImGui::End();
    ImGui::Render();
  }
  std::uint64_t hash() const { return viz::hash_draw_data(*ImGui::GetDrawData()).value; }

  GuiContext gui;
  plot::AxisRange x, y;
};

plot::Options map_options(const viz::Cells& cells) {
  plot::Options options;
  options.x.fit = {0, static_cast<double>(cells.columns())};
  options.y.fit = {0, static_cast<double>(cells.rows())};
  options.y.runs_down = true;
  return options;
}

TEST(Heatmap, TheMappingIsThePlotsOwn) {
  PlotFrame frame;
  plot::Options options;
  options.x.fit = {-3, 17};
  options.y.fit = {2, 9};
  for (const bool runs_down : {false, true}) {
    options.y.runs_down = runs_down;
    for (int i = 0; i < 2; ++i) {
      frame.draw(options, [&] {
        const plot::Mapping to = plot::mapping();
        for (const auto& [x, y] : {std::pair{-3.0, 2.0}, std::pair{4.25, 8.5}, std::pair{17.0, 9.0}}) {
          const ImVec2 at = plot::pixels(x, y);
          EXPECT_NEAR(to.pixel_x(x), at.x, 1e-2);
          EXPECT_NEAR(to.pixel_y(y), at.y, 1e-2);
        }
      });
    }
  }
}

TEST(Heatmap, ThePointerFindsCellBlockAndStrongest) {
  PlotFrame frame;
  const viz::CellsPtr cells = patterned_cells(2048, 2048, viz::Fold::Largest, 3, false);
  const plot::Options options = map_options(*cells);
  int found = 0;
  for (int i = 0; i < 4; ++i) {
    ImGui::GetIO().AddMousePosEvent(320, 200);
    frame.draw(options, [&] {
      plot::heatmap(cells, {0, 2048}, {0, 2048}, fitted_scale(*cells, ColorMap::Cividis));
      const auto hovered = plot::cell_under_pointer();
      if (!hovered) return;
      ++found;
      EXPECT_NEAR(hovered->index.column, plot::mouse_x(), 4);
      EXPECT_NEAR(hovered->index.row, plot::mouse_y(), 8);
      EXPECT_GE(hovered->block.columns, 4);
      EXPECT_EQ(hovered->mark.value, cells->at(*hovered->strongest).value);
      EXPECT_EQ(hovered->cell.value, cells->at(hovered->index).value);
      EXPECT_GE(hovered->index.row, hovered->block.row);
      EXPECT_LT(hovered->index.row, hovered->block.row + hovered->block.rows);
    });
  }
  EXPECT_GE(found, 1);
}

TEST(Heatmap, APictureIsItsContentScaleAndPlace) {
  const auto hash = [](unsigned seed, float high, double right, ColorMap map) {
    PlotFrame frame;
    const viz::CellsPtr cells = patterned_cells(40, 60, viz::Fold::Largest, seed);
    ColorScale scale = fitted_scale(*cells, map);
    scale.high = high;
    for (int i = 0; i < 2; ++i)
      frame.draw(map_options(*cells), [&] { plot::heatmap(cells, {0, right}, {0, 40}, scale); });
    return frame.hash();
  };
  const std::uint64_t picture = hash(1, 1, 60, ColorMap::Cividis);
  EXPECT_EQ(hash(1, 1, 60, ColorMap::Cividis), picture);
  EXPECT_NE(hash(2, 1, 60, ColorMap::Cividis), picture);
  EXPECT_NE(hash(1, 0.9f, 60, ColorMap::Cividis), picture);
  EXPECT_NE(hash(1, 1, 59, ColorMap::Cividis), picture);
  EXPECT_NE(hash(1, 1, 60, ColorMap::Viridis), picture);
}

TEST(Heatmap, EdgesCountInAPictureToo) {
  const auto hash = [](float width, float shift) {
    PlotFrame frame;
    const EdgeInstance edge{0, 1, IM_COL32_WHITE, width, EdgeKind::Arc, 0, 0};
    const EdgeBatchPtr batch = EdgeBatch::make({{0, 0}, {1, 1}}, {edge});
    plot::Options options;
    for (int i = 0; i < 2; ++i) {
      frame.draw(options, [&] {
        EdgeView view = plot::edge_view(100);
        view.origin.x += shift;
        plot::edges(batch, view);
      });
    }
    return frame.hash();
  };
  EXPECT_EQ(hash(1, 0), hash(1, 0.001f));
  EXPECT_NE(hash(1, 0), hash(2, 0));
  EXPECT_NE(hash(1, 0), hash(1, 1));
}

TEST(Heatmap, OneCommandWhateverTheSize) {
  PlotFrame frame;
  const auto commands = [&](const viz::CellsPtr& cells) {
    int payloads = 0;
    for (int i = 0; i < 2; ++i)
      frame.draw(map_options(*cells), [&] {
        plot::heatmap(cells, {0, 1.0 * cells->columns()}, {0, 1.0 * cells->rows()}, ColorScale{});
      });
    for (const ImDrawList* list : ImGui::GetDrawData()->CmdLists) {
      for (const ImDrawCmd& command : list->CmdBuffer)
        payloads += heatmap_payload(*list, command) != nullptr ? 1 : 0;
    }
    return payloads;
  };
  EXPECT_EQ(commands(patterned_cells(3, 3, viz::Fold::Largest)), 1);
  EXPECT_EQ(commands(patterned_cells(3000, 1000, viz::Fold::Largest)), 1);
  EXPECT_LT(ImGui::GetDrawData()->TotalVtxCount, 1000);
  EXPECT_EQ(commands(viz::Cells::make(0, 5, {})), 0);
}

TEST(Heatmap, TheBarIsDrawnInBothLayoutsWithAndWithoutInvalidCells) {
  PlotFrame frame;
  std::vector<std::uint64_t> hashes;
  for (const ui::BarLayout layout : {ui::BarLayout::Horizontal, ui::BarLayout::Vertical}) {
    for (const std::int64_t invalid : {0, 3}) {
      ImGui::NewFrame();
      ImGui::SetNextWindowSize({400, 300});
      ImGui::Begin("bar", nullptr, ImGuiWindowFlags_NoDecoration);
      const ImVec2 before = ImGui::GetCursorScreenPos();
      ui::color_bar("bar", ColorScale{}, "nats", layout, 200, invalid);
      const float thickness = ui::color_bar_thickness(layout);
      EXPECT_EQ(ImGui::GetItemRectMin().y, before.y);
      EXPECT_NEAR(ImGui::GetItemRectSize().y, layout == ui::BarLayout::Vertical ? 200 : thickness, 0.01);
      EXPECT_NEAR(ImGui::GetItemRectSize().x, layout == ui::BarLayout::Vertical ? thickness : 200, 0.01);
      ImGui::End();
      ImGui::Render();
      hashes.push_back(frame.hash());
    }
  }
  for (std::size_t i = 1; i < hashes.size(); ++i) EXPECT_NE(hashes[i], hashes[i - 1]);
}

}  // namespace
}  // namespace sparsescope
