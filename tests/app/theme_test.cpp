// Laws of the look: contrast, scale, and what happens when fonts are missing.
#include <gtest/gtest.h>

#include "implot.h"
#include "tests/app/scripted_host.h"
#include "tests/app/surfaces.h"
#include "viz/frame/frame.h"
#include "viz/widgets/colormaps.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {
namespace {

unsigned rgb(Theme theme, Token token) { return palette(theme)[static_cast<std::size_t>(token)]; }

constexpr Token kText[] = {Token::Text, Token::Muted, Token::Accent, Token::Ok, Token::Warn, Token::Error};
constexpr Token kMarks[] = {Token::Direct, Token::Inherited, Token::Fallback, Token::Self,
                            Token::Run1,   Token::Run2,      Token::Run3,     Token::Run4,
                            Token::Run5,   Token::Run6,      Token::Run7,     Token::Run8};

constexpr Theme kThemes[] = {Theme::Dark, Theme::Light, Theme::Projector, Theme::Contrast};

class ThemeContrast : public testing::TestWithParam<Theme> {
 protected:
  // Contrast of two tokens in the theme under test.
  double between(Token ink, Token surface) const {
    return contrast(rgb(GetParam(), ink), rgb(GetParam(), surface));
  }
  double text_needs() const { return GetParam() == Theme::Contrast ? 7 : 4.5; }
  double marks_need() const { return GetParam() == Theme::Contrast ? 7 : 3; }
};

TEST_P(ThemeContrast, TextIsReadableOnEverySurface) {
  for (const Token ink : kText) {
    for (const Token surface : {Token::Bg, Token::Panel, Token::Raised})
      EXPECT_GE(between(ink, surface), text_needs())
          << static_cast<int>(ink) << " on " << static_cast<int>(surface);
  }
  for (const Token ink : {Token::Text, Token::Muted}) EXPECT_GE(between(ink, Token::Hover), text_needs());
  for (const Token ink : {Token::Text, Token::Accent})
    EXPECT_GE(between(ink, Token::AccentSurface), text_needs());
}

TEST_P(ThemeContrast, MarksAreVisible) {
  for (const Token ink : kMarks) EXPECT_GE(between(ink, Token::Panel), marks_need()) << static_cast<int>(ink);
}

TEST_P(ThemeContrast, WhatAMapDoesNotKnowIsNotItsMiddle) {
  const auto rgb_of = [](std::uint32_t packed) {
    return (packed & 0xffu) << 16 | (packed & 0xff00u) | (packed >> 16 & 0xffu);
  };
  for (const ColorMap map : {ColorMap::RdBu, ColorMap::BrBG}) {
    const unsigned middle = rgb_of(color_map(map)[kColorMapEntries / 2]);
    for (const Token token : {Token::Absent, Token::AbsentHatch})
      EXPECT_GE(contrast(rgb(GetParam(), token), middle), 1.2) << color_map_name(map);
  }
  EXPECT_GE(between(Token::AbsentHatch, Token::Absent), 1.2);
}

TEST_P(ThemeContrast, NeighbouringRunsDiffer) {
  for (int a = 0; a < 8; ++a) {
    for (int b = a + 1; b < 8; ++b) EXPECT_NE(rgb(GetParam(), run_token(a)), rgb(GetParam(), run_token(b)));
  }
}

INSTANTIATE_TEST_SUITE_P(Theme, ThemeContrast, testing::ValuesIn(kThemes),
                         [](const auto& theme) { return std::string(theme_name(theme.param)); });

TEST(Theme, ProjectorAndContrastDrawNoThinGrey) {
  for (const Theme theme : {Theme::Projector, Theme::Contrast}) {
    EXPECT_GE(contrast(rgb(theme, Token::Faint), rgb(theme, Token::Panel)), 4.5);
    EXPECT_GE(contrast(rgb(theme, Token::Line), rgb(theme, Token::Panel)), 3);
    EXPECT_GE(metrics(theme).lines, 1.5);
  }
  EXPECT_GT(metrics(Theme::Contrast).borders, 0);
}

TEST(Theme, NamesLeadThereAndBack) {
  EXPECT_EQ(theme_names(), (std::vector<std::string>{"dark", "light", "projector", "contrast"}));
  for (const Theme theme : kThemes) EXPECT_EQ(theme_from_name(theme_name(theme)), theme);
  EXPECT_FALSE(theme_from_name("sepia"));
}

TEST(Theme, ProjectorTextIsTwoFifthsLargerAndLinesAreTwiceAsHeavy) {
  GuiContext gui(Theme::Light, 2);
  const float text = ImGui::GetStyle().FontScaleDpi, padding = ImGui::GetStyle().WindowPadding.x,
              line = line_px(1);
  apply_theme(Theme::Projector, 2);
  EXPECT_NEAR(ImGui::GetStyle().FontScaleDpi, 1.4f * text, 1e-5);
  EXPECT_NEAR(ImGui::GetStyle().WindowPadding.x, 1.4f * padding, 1);
  EXPECT_NEAR(line_px(1), 2 * line, 1e-5);
  EXPECT_EQ(applied_scale(), 2);
  EXPECT_NEAR(current_scale(), 2.8f, 1e-5);
}

TEST(Theme, ContrastKnowsBlackAndWhite) {
  EXPECT_NEAR(contrast(0x000000, 0xffffff), 21, 1e-9);
  EXPECT_NEAR(contrast(0x777777, 0x777777), 1, 1e-9);
}

TEST(Theme, RunColoursGoRound) { EXPECT_EQ(run_token(8), run_token(0)); }

TEST(Theme, ApplyingAScaleTwiceScalesOnce) {
  GuiContext gui(Theme::Dark, 2);
  const ImGuiStyle once = ImGui::GetStyle();
  apply_theme(Theme::Dark, 2);
  EXPECT_EQ(ImGui::GetStyle().WindowPadding.x, once.WindowPadding.x);
  EXPECT_EQ(ImGui::GetStyle().FontScaleDpi, once.FontScaleDpi);
  apply_theme(Theme::Light, 1);
  EXPECT_EQ(ImGui::GetStyle().WindowPadding.x, once.WindowPadding.x / 2);
}

TEST(Theme, NothingOfTheLibrarysOwnPaletteIsLeft) {
  GuiContext gui;
  ImGuiStyle library;
  ImGui::StyleColorsDark(&library);
  for (const int index :
       {ImGuiCol_WindowBg, ImGuiCol_FrameBg, ImGuiCol_Button, ImGuiCol_Header, ImGuiCol_Tab,
        ImGuiCol_SliderGrab, ImGuiCol_CheckMark, ImGuiCol_TitleBgActive, ImGuiCol_DockingPreview,
        ImGuiCol_TextLink, ImGuiCol_NavCursor, ImGuiCol_Separator}) {
    const ImVec4 ours = ImGui::GetStyle().Colors[index], theirs = library.Colors[index];
    EXPECT_FALSE(ours.x == theirs.x && ours.y == theirs.y && ours.z == theirs.z)
        << ImGui::GetStyleColorName(index);
  }
}

TEST(Theme, MissingFontsAreNamedAndTheWindowStillDraws) {
  GuiContext gui(Theme::Dark, 1, "/nowhere");
  EXPECT_GE(gui.font_notes().size(), 3u);
  EXPECT_FALSE(icons_available());
  NullSurface surface(1600, 900);
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  frame::Frame frame(host, timeline, {}, gui.font_notes());
  for (int i = 0; i < 4; ++i) {
    host.advance(10);
    frame.prepare();
    surface.begin_frame();
    EXPECT_NO_THROW(frame.draw(1.0 / 60));
    surface.end_frame();
  }
  EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 1000);
}

TEST(Theme, InstalledFontsLeaveNothingToSay) {
  GuiContext gui;
  EXPECT_TRUE(gui.font_notes().empty()) << gui.font_notes().front();
  EXPECT_TRUE(icons_available());
}

}  // namespace
}  // namespace sparsescope::test
