// The whole picture through other eyes: what the surface shows against the CPU.
#include "viz/widgets/color_vision.h"

#include <gtest/gtest.h>

#include "tests/render/render_support.h"
#include "viz/render/picture_surface.h"

namespace sparsescope {
namespace {

using test::Canvas;
using test::channel_distance;
using test::pixel;

TEST(ColorVision, TheShaderShowsWhatTheCpuSays) {
  Canvas canvas(512, 64);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  std::vector<ImU32> patches;
  for (int i = 0; i < 64; ++i) patches.push_back(IM_COL32(i * 37 % 256, i * 91 % 256, i * 143 % 256, 255));
  const auto draw = [&] {
    for (int i = 0; i < 64; ++i)
      ImGui::GetWindowDrawList()->AddRectFilled({static_cast<float>(i * 8), 0},
                                                {static_cast<float>(i * 8 + 8), 64},
                                                patches[static_cast<std::size_t>(i)]);
  };
  for (int vision = 0; vision < kColorVisions; ++vision) {
    set_color_vision(static_cast<ColorVision>(vision));
    const render::Pixels pixels = canvas.frame(draw);
    for (int i = 0; i < 64; ++i) {
      EXPECT_LE(channel_distance(pixel(pixels, i * 8 + 4, 32), simulated(patches[static_cast<std::size_t>(i)],
                                                                         static_cast<ColorVision>(vision))),
                1)
          << color_vision_name(static_cast<ColorVision>(vision)) << ' ' << i;
    }
  }
}

TEST(ColorVision, FiguresAreNotSimulated) {
  Canvas canvas(64, 64);
  SPARSESCOPE_NEEDS_DRAWING(canvas);
  set_color_vision(ColorVision::Deuteranopia);
  canvas.frame([] {});
  const ImU32 red = IM_COL32(220, 40, 30, 255);
  const PaperContext paper(Theme::Light, 1);
  render::PictureSurface surface(32, 32);
  surface.begin_frame();
  ImGui::GetBackgroundDrawList()->AddRectFilled({0, 0}, {32, 32}, red);
  surface.end_frame();
  EXPECT_EQ(pixel(surface.read_pixels(), 16, 16), red);
}

TEST(ColorVision, GreyStaysGreyAndRedAndGreenMeet) {
  for (int vision = 0; vision < kColorVisions; ++vision) {
    for (const std::uint32_t grey :
         {IM_COL32(0, 0, 0, 255), IM_COL32(128, 128, 128, 255), IM_COL32(255, 255, 255, 255)})
      EXPECT_LE(channel_distance(simulated(grey, static_cast<ColorVision>(vision)), grey), 1);
  }
  // Red and green of equal lightness, which a deuteranope confuses and others do not.
  const std::uint32_t red = IM_COL32(200, 60, 40, 255), green = IM_COL32(110, 125, 30, 255);
  const auto distance = [&](ColorVision eye) {
    return channel_distance(simulated(red, eye), simulated(green, eye));
  };
  EXPECT_GT(distance(ColorVision::Normal), 80);
  EXPECT_LT(distance(ColorVision::Deuteranopia), 50);
}

TEST(ColorVision, NamesLeadThereAndBack) {
  for (int vision = 0; vision < kColorVisions; ++vision) {
    ColorVision found{};
    ASSERT_TRUE(color_vision_from_name(color_vision_name(static_cast<ColorVision>(vision)), found));
    EXPECT_EQ(static_cast<int>(found), vision);
  }
  ColorVision none{};
  EXPECT_FALSE(color_vision_from_name("x-ray", none));
}

TEST(ColorVision, AlphaStays) { EXPECT_EQ(simulated(0x40ffffffu, ColorVision::Protanopia) >> 24, 0x40u); }

}  // namespace
}  // namespace sparsescope
