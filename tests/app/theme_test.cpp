// Laws of the look: contrast, scale, and what happens when fonts are missing.
#include <gtest/gtest.h>

#include "implot.h"
#include "tests/app/scripted_host.h"
#include "tests/app/surfaces.h"
#include "viz/frame/frame.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {
namespace {

unsigned rgb(Theme theme, Token token) { return palette(theme)[static_cast<std::size_t>(token)]; }

constexpr Token kText[] = {Token::Text, Token::Muted, Token::Accent, Token::Ok, Token::Warn, Token::Error};
constexpr Token kMarks[] = {Token::Direct, Token::Inherited, Token::Fallback, Token::Self,
                            Token::Run1,   Token::Run2,      Token::Run3,     Token::Run4,
                            Token::Run5,   Token::Run6,      Token::Run7,     Token::Run8};

TEST(Theme, TextIsReadableAndMarksAreVisible) {
  for (const Theme theme : {Theme::Dark, Theme::Light}) {
    const unsigned panel = rgb(theme, Token::Panel);
    for (const Token token : kText)
      EXPECT_GE(contrast(rgb(theme, token), panel), 4.5)
          << static_cast<int>(theme) << " token " << static_cast<int>(token);
    for (const Token token : kMarks)
      EXPECT_GE(contrast(rgb(theme, token), panel), 3.0)
          << static_cast<int>(theme) << " token " << static_cast<int>(token);
    for (const Token surface : {Token::Bg, Token::Raised}) {
      for (const Token token : {Token::Text, Token::Muted})
        EXPECT_GE(contrast(rgb(theme, token), rgb(theme, surface)), 4.5);
    }
    EXPECT_GE(contrast(rgb(theme, Token::Text), rgb(theme, Token::AccentSurface)), 4.5);
    EXPECT_GE(contrast(rgb(theme, Token::Accent), rgb(theme, Token::AccentSurface)), 3.0);
  }
}

TEST(Theme, ContrastKnowsBlackAndWhite) {
  EXPECT_NEAR(contrast(0x000000, 0xffffff), 21, 1e-9);
  EXPECT_NEAR(contrast(0x777777, 0x777777), 1, 1e-9);
}

TEST(Theme, NeighbouringRunsDiffer) {
  for (const Theme theme : {Theme::Dark, Theme::Light}) {
    for (int a = 0; a < 8; ++a) {
      for (int b = a + 1; b < 8; ++b) EXPECT_NE(rgb(theme, run_token(a)), rgb(theme, run_token(b)));
    }
  }
  EXPECT_EQ(run_token(8), run_token(0));
}

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
