#include "viz/views/draw_hash.h"

#include <gtest/gtest.h>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;

// A frame with one text, after frames that used other letters first.
DrawHash picture_of(const std::string& text, const std::string& before = {}) {
  NullScreen screen({400, 200});
  if (!before.empty()) screen.frame([&] { ImGui::TextUnformatted(before.c_str()); });
  return screen.frame([&] { ImGui::TextUnformatted(text.c_str()); });
}

TEST(DrawHash, EqualPicturesAreEqual) {
  EXPECT_EQ(picture_of("3.142 nats").value, picture_of("3.142 nats").value);
  EXPECT_GT(picture_of("3.142 nats").vertices, 20);
}

TEST(DrawHash, ADigitMakesADifference) {
  EXPECT_NE(picture_of("3.142 nats").value, picture_of("3.143 nats").value);
}

TEST(DrawHash, WhereGlyphsLieInTheAtlasMakesNone) {
  EXPECT_EQ(picture_of("3.142 nats").value,
            picture_of("3.142 nats", "zyxwvutsrqponmlkjihgfedcba 9876543210").value);
}

TEST(DrawHash, PlacesCountToTheSixtyFourthOfAPixel) {
  const auto rectangle = [](float left, ImU32 ink) {
    NullScreen screen({400, 200});
    return screen.frame([&] { ImGui::GetWindowDrawList()->AddRectFilled({left, 10}, {100, 50}, ink); }).value;
  };
  const ImU32 ink = IM_COL32(10, 20, 30, 255);
  EXPECT_EQ(rectangle(20.25f, ink), rectangle(20.251f, ink));
  EXPECT_NE(rectangle(20.25f, ink), rectangle(20.3f, ink));
  EXPECT_NE(rectangle(20, ink), rectangle(20, IM_COL32(10, 20, 31, 255)));
}

TEST(DrawHash, TexturesCountByContentVersionAndNotByName) {
  const auto image = [](ImTextureID id, std::uint64_t version) {
    NullScreen screen({400, 200});
    screen.frame([&] { ImGui::Image(ImTextureRef(id), {64, 64}); });
    return hash_draw_data(*ImGui::GetDrawData(), [&](std::uint64_t) { return version; }).value;
  };
  EXPECT_EQ(image(777, 1), image(888, 1));
  EXPECT_NE(image(777, 1), image(777, 2));
}

}  // namespace
}  // namespace sparsescope::viz
