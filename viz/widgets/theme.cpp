// The theme in force: fonts, scale, and the style tables of ImGui and ImPlot.
#include "viz/widgets/theme.h"

#include <cmath>
#include <filesystem>

#include "implot.h"
#include "viz/widgets/icons.h"

namespace sparsescope {
namespace {

Theme theme_in_force = Theme::Dark;
float given_scale = 1;     // as apply_theme() was told
float scale_in_force = 1;  // times the theme's text factor
std::array<ImFont*, 5> fonts{};

// ImGui counts a font's size from ascender to descender, a designer from em to em; this is Inter's ratio.
constexpr float kHeightPerEm = 1.21f;

ImVec4 vector_from_rgb(unsigned rgb, float alpha) {
  return {static_cast<float>(rgb >> 16 & 255) / 255.f, static_cast<float>(rgb >> 8 & 255) / 255.f,
          static_cast<float>(rgb & 255) / 255.f, alpha};
}

struct FontFile {
  Font font;
  const char* name;
  const char* package;
  std::vector<const char*> places;  // below the fonts folder
};

const std::vector<FontFile>& font_files() {
  static const std::vector<FontFile> files = {
      {Font::Regular,
       "Inter",
       "fonts-inter",
       {"opentype/inter/Inter-Regular.otf", "truetype/inter/Inter-Regular.ttf"}},
      {Font::Medium,
       "Inter Medium",
       "fonts-inter",
       {"opentype/inter/Inter-Medium.otf", "truetype/inter/Inter-Medium.ttf"}},
      {Font::SemiBold,
       "Inter SemiBold",
       "fonts-inter",
       {"opentype/inter/Inter-SemiBold.otf", "truetype/inter/Inter-SemiBold.ttf"}},
      {Font::Mono,
       "JetBrains Mono",
       "fonts-jetbrains-mono",
       {"truetype/jetbrains-mono/JetBrainsMono-Regular.ttf"}},
      {Font::MonoMedium,
       "JetBrains Mono Medium",
       "fonts-jetbrains-mono",
       {"truetype/jetbrains-mono/JetBrainsMono-Medium.ttf"}},
  };
  return files;
}

std::string first_existing(const std::string& root, const std::vector<const char*>& places) {
  for (const char* place : places) {
    const std::string path = root + "/" + place;
    std::error_code failure;
    if (std::filesystem::is_regular_file(path, failure)) return path;
  }
  return {};
}

void merge(const std::string& path, float offset_y) {
  ImFontConfig config;
  config.MergeMode = true;
  config.GlyphOffset.y = offset_y;
  ImGui::GetIO().Fonts->AddFontFromFileTTF(path.c_str(), kBodyText * kHeightPerEm, &config);
}

bool icons_loaded = false;

}  // namespace

ImVec4 color4(Token token, float alpha) {
  return vector_from_rgb(palette(theme_in_force)[static_cast<std::size_t>(token)], alpha);
}

ImU32 color(Token token, float alpha) { return ImGui::ColorConvertFloat4ToU32(color4(token, alpha)); }

Token run_token(int index) {
  return static_cast<Token>(static_cast<int>(Token::Run1) + ((index % 8) + 8) % 8);
}

Theme current_theme() { return theme_in_force; }
float current_scale() { return scale_in_force; }
float applied_scale() { return given_scale; }
float line_px(float thickness) { return thickness * given_scale * metrics(theme_in_force).lines; }
bool icons_available() { return icons_loaded; }

std::vector<std::string> load_fonts(const std::string& root) {
  std::vector<std::string> missing;
  ImFontAtlas* atlas = ImGui::GetIO().Fonts;
  const std::string noto =
      first_existing(root, {"truetype/noto/NotoSans-Regular.ttf", "opentype/noto/NotoSans-Regular.ttf"});
  const std::string icons =
      first_existing(root, {"truetype/materialdesignicons-webfont/materialdesignicons-webfont.ttf"});
  const float height = kBodyText * kHeightPerEm;
  for (const FontFile& file : font_files()) {
    const std::string path = first_existing(root, file.places);
    ImFont*& font = fonts[static_cast<std::size_t>(file.font)];
    if (!path.empty()) {
      font = atlas->AddFontFromFileTTF(path.c_str(), height);
    } else if (!noto.empty()) {
      font = atlas->AddFontFromFileTTF(noto.c_str(), height);
      missing.push_back(std::string(file.name) + " is not installed (package " + file.package +
                        "); Noto Sans stands in");
    } else {
      font = atlas->AddFontDefaultVector();
      missing.push_back(std::string(file.name) + " is not installed (package " + file.package +
                        "); a built-in font stands in");
    }
    if (!icons.empty()) merge(icons, 1.f);
    if (!noto.empty() && !path.empty()) merge(noto, 0.f);
    // The mono fonts have no signs for white space; the text font has.
    const bool is_mono = file.font == Font::Mono || file.font == Font::MonoMedium;
    const std::string text = is_mono ? first_existing(root, font_files().front().places) : "";
    if (!text.empty()) merge(text, 0.f);
  }
  icons_loaded = !icons.empty();
  if (icons.empty())
    missing.push_back(
        "The icon font is not installed (package fonts-materialdesignicons-webfont); words stand in");
  if (noto.empty())
    missing.push_back("Noto Sans is not installed (package fonts-noto-core); some letters may show as boxes");
  ImGui::GetIO().FontDefault = handle(Font::Regular);
  return missing;
}

void apply_theme(Theme theme, float scale) {
  theme_in_force = theme;
  given_scale = scale;
  scale_in_force = scale * metrics(theme).text;
  const float border = metrics(theme).borders;

  ImGuiStyle style;
  style.FontSizeBase = kBodyText * kHeightPerEm;
  style.WindowPadding = {12, 12};
  style.WindowRounding = 4;
  style.WindowBorderSize = border;
  style.ChildRounding = 4;
  style.ChildBorderSize = border;
  style.PopupRounding = 4;
  style.PopupBorderSize = 1 + border;
  style.FramePadding = {10, 5};
  style.FrameRounding = 4;
  style.FrameBorderSize = 1 + border;
  style.ItemSpacing = {8, 6};
  style.ItemInnerSpacing = {6, 4};
  style.CellPadding = {6, 4};
  style.IndentSpacing = 16;
  style.ScrollbarSize = 10;
  style.ScrollbarRounding = 5;
  style.GrabMinSize = 14;
  style.GrabRounding = 7;
  style.TabRounding = 4;
  style.TabBorderSize = border;
  style.TabBarBorderSize = border;
  style.TabBarOverlineSize = 2;
  style.SeparatorTextBorderSize = 1;
  style.DockingSeparatorSize = 4;
  style.DockingNodeHasCloseButton = false;
  style.WindowMenuButtonPosition = ImGuiDir_None;
  style.TabCloseButtonMinWidthUnselected = FLT_MAX;
  style.TabCloseButtonMinWidthSelected = 0;
  style.ScaleAllSizes(scale_in_force);
  style.FontScaleDpi = scale_in_force;

  const ImVec4 none{0, 0, 0, 0};
  auto& c = style.Colors;
  c[ImGuiCol_Text] = color4(Token::Text);
  c[ImGuiCol_TextDisabled] = color4(Token::Muted);
  c[ImGuiCol_WindowBg] = c[ImGuiCol_ChildBg] = color4(Token::Panel);
  c[ImGuiCol_ChildBg] = none;
  c[ImGuiCol_PopupBg] = color4(Token::Raised);
  c[ImGuiCol_Border] = color4(Token::Line);
  c[ImGuiCol_BorderShadow] = none;
  c[ImGuiCol_FrameBg] = color4(Token::Raised);
  c[ImGuiCol_FrameBgHovered] = color4(Token::Hover);
  c[ImGuiCol_FrameBgActive] = color4(Token::Hover);
  c[ImGuiCol_TitleBg] = c[ImGuiCol_TitleBgActive] = c[ImGuiCol_TitleBgCollapsed] = color4(Token::Bg);
  c[ImGuiCol_MenuBarBg] = color4(Token::Panel);
  c[ImGuiCol_ScrollbarBg] = none;
  c[ImGuiCol_ScrollbarGrab] = color4(Token::Line);
  c[ImGuiCol_ScrollbarGrabHovered] = c[ImGuiCol_ScrollbarGrabActive] = color4(Token::Faint);
  c[ImGuiCol_CheckMark] = color4(Token::Accent);
  c[ImGuiCol_SliderGrab] = color4(Token::Accent);
  c[ImGuiCol_SliderGrabActive] = color4(Token::Text);
  c[ImGuiCol_Button] = color4(Token::Raised);
  c[ImGuiCol_ButtonHovered] = color4(Token::Hover);
  c[ImGuiCol_ButtonActive] = color4(Token::Hover);
  c[ImGuiCol_Header] = color4(Token::AccentSurface);
  c[ImGuiCol_HeaderHovered] = color4(Token::Hover);
  c[ImGuiCol_HeaderActive] = color4(Token::AccentSurface);
  c[ImGuiCol_Separator] = color4(border > 0 ? Token::Line : Token::Bg);
  c[ImGuiCol_SeparatorHovered] = color4(Token::Accent, 0.6f);
  c[ImGuiCol_SeparatorActive] = color4(Token::Accent);
  c[ImGuiCol_ResizeGrip] = none;
  c[ImGuiCol_ResizeGripHovered] = c[ImGuiCol_ResizeGripActive] = color4(Token::Accent, 0.6f);
  c[ImGuiCol_InputTextCursor] = color4(Token::Text);
  c[ImGuiCol_Tab] = c[ImGuiCol_TabDimmed] = color4(Token::Bg);
  c[ImGuiCol_TabHovered] = color4(Token::Raised);
  c[ImGuiCol_TabSelected] = c[ImGuiCol_TabDimmedSelected] = color4(Token::Panel);
  c[ImGuiCol_TabSelectedOverline] = c[ImGuiCol_TabDimmedSelectedOverline] = color4(Token::Accent);
  c[ImGuiCol_DockingPreview] = color4(Token::Accent, 0.35f);
  c[ImGuiCol_DockingEmptyBg] = color4(Token::Bg);
  c[ImGuiCol_PlotLines] = c[ImGuiCol_PlotHistogram] = color4(Token::Accent);
  c[ImGuiCol_PlotLinesHovered] = c[ImGuiCol_PlotHistogramHovered] = color4(Token::Text);
  c[ImGuiCol_TableHeaderBg] = color4(Token::Raised);
  c[ImGuiCol_TableBorderStrong] = c[ImGuiCol_TableBorderLight] = color4(Token::Line);
  c[ImGuiCol_TableRowBg] = none;
  c[ImGuiCol_TableRowBgAlt] = color4(Token::Raised, 0.5f);
  c[ImGuiCol_TextLink] = color4(Token::Accent);
  c[ImGuiCol_TextSelectedBg] = color4(Token::Accent, 0.35f);
  c[ImGuiCol_TreeLines] = color4(Token::Line);
  c[ImGuiCol_DragDropTarget] = color4(Token::Accent);
  c[ImGuiCol_DragDropTargetBg] = color4(Token::Accent, 0.1f);
  c[ImGuiCol_UnsavedMarker] = color4(Token::Warn);
  c[ImGuiCol_NavCursor] = color4(Token::Accent);
  c[ImGuiCol_NavWindowingHighlight] = color4(Token::Accent);
  c[ImGuiCol_NavWindowingDimBg] = c[ImGuiCol_ModalWindowDimBg] = color4(Token::Bg, 0.6f);
  ImGui::GetStyle() = style;

  ImPlotStyle plots;
  plots.PlotBorderSize = 0;
  plots.PlotPadding = {0, 0};
  plots.LabelPadding = {0, 0};
  plots.PlotMinSize = {20, 20};
  plots.Colors[ImPlotCol_FrameBg] = plots.Colors[ImPlotCol_PlotBg] = plots.Colors[ImPlotCol_PlotBorder] =
      none;
  plots.Colors[ImPlotCol_Selection] = color4(Token::Accent);
  plots.Colors[ImPlotCol_Crosshairs] = color4(Token::Muted);
  ImPlot::GetStyle() = plots;
}

ImFont* handle(Font font) {
  ImFont* found = fonts[static_cast<std::size_t>(font)];
  return found != nullptr ? found : ImGui::GetFont();
}

FontScope::FontScope(Font font, float size) { ImGui::PushFont(handle(font), size * kHeightPerEm); }

ImVec2 text_size(Font font, float size, const char* text, const char* text_end) {
  return handle(font)->CalcTextSizeA(px(size) * kHeightPerEm, FLT_MAX, 0, text, text_end);
}

void draw_text(ImDrawList* list, Font font, float size, ImVec2 position, ImU32 ink, const char* text,
               const char* text_end) {
  list->AddText(handle(font), px(size) * kHeightPerEm, {std::round(position.x), std::round(position.y)}, ink,
                text, text_end);
}

Drawn draw_text_within(ImDrawList* list, Font font, float size, ImVec2 position, float width, ImU32 ink,
                       const std::string& text) {
  const float whole = text_size(font, size, text.c_str()).x;
  if (whole <= width) {
    draw_text(list, font, size, position, ink, text.c_str());
    return {whole, Fit::Whole};
  }
  static constexpr const char* kEllipsis = "…";
  const float room = width - text_size(font, size, kEllipsis).x;
  const char* end = text.c_str();
  if (room > 0)
    handle(font)->CalcTextSizeA(px(size) * kHeightPerEm, room, 0, text.c_str(), text.c_str() + text.size(),
                                &end);
  const std::string shown = std::string(text.c_str(), end) + kEllipsis;
  draw_text(list, font, size, position, ink, shown.c_str());
  return {std::min(width, text_size(font, size, shown.c_str()).x), Fit::Shortened};
}

}  // namespace sparsescope
