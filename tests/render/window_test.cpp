// The window draws what the off-screen surface draws. Needs a display, such as Xvfb's.
#include "viz/render/window.h"

#include <gtest/gtest.h>

#include "tests/render/render_support.h"
#include "viz/widgets/color_vision.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope {
namespace {

TEST(Window, DrawsHeatmapsAndColourVisionLikeTheCpu) {
  std::string reason;
  if (!render::Window::display_available(&reason)) GTEST_SKIP() << reason;
  GuiContext gui;
  render::Window window("Sparsescope test", 400, 300);
  const viz::CellsPtr cells = test::patterned_cells(37, 53, viz::Fold::Largest);
  for (const ColorVision vision : {ColorVision::Normal, ColorVision::Protanopia}) {
    set_color_vision(vision);
    HeatmapPayload payload;
    for (int i = 0; i < 2; ++i) {
      window.wait_events(0);
      window.begin_frame();
      const ImVec2 size = ImGui::GetIO().DisplaySize;
      payload = whole_heatmap(cells, fitted_scale(*cells, ColorMap::Cividis), static_cast<int>(size.x),
                              static_cast<int>(size.y));
      add_payload(ImGui::GetBackgroundDrawList(), payload);
      window.end_frame();
    }
    const render::Pixels pixels = window.read_pixels();
    const std::vector<std::uint8_t> wanted = heatmap_pixels(payload, 0, 0, pixels.width, pixels.height);
    int worst = 0, compared = 0;
    for (int y = 0; y < pixels.height; ++y) {
      for (int x = 0; x < pixels.width; ++x) {
        const std::uint8_t* at =
            wanted.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(pixels.width) +
                             static_cast<std::size_t>(x)) *
                                4;
        if (at[3] == 0) continue;
        const std::uint32_t color =
            static_cast<std::uint32_t>(at[0] | at[1] << 8 | at[2] << 16) | 0xff000000u;
        worst = std::max(worst, test::channel_distance(test::pixel(pixels, x, y), simulated(color, vision)));
        ++compared;
      }
    }
    EXPECT_GT(compared, 100'000);
    EXPECT_LE(worst, 1) << color_vision_name(vision);
  }
  set_color_vision(ColorVision::Normal);
}

}  // namespace
}  // namespace sparsescope
