// The look as tokens: colours, fonts and lengths of the themes. No widget; no literal colour anywhere else.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgui.h"

namespace sparsescope {

// Projector: light, for talks: text 40 % larger, lines twice as heavy, no thin grey. Contrast: for low
// vision, 7:1 everywhere, solid borders.
enum class Theme { Dark, Light, Projector, Contrast };
inline constexpr int kThemeCount = 4;
std::span<const Theme> themes();  // all, in the order of the enum
// "dark", "light", "projector", "contrast": what settings and command lines say; and for people.
const char* theme_name(Theme theme);
const char* theme_words(Theme theme);
std::optional<Theme> theme_from_name(std::string_view name);
std::vector<std::string> theme_names();

// How a theme differs from the base in lengths.
struct ThemeMetrics {
  float text = 1;        // all lengths that go with text: px() has it
  float lines = 1;       // thickness of lines and marks: line_px() has it
  float grid = 0.75;     // alpha of the lines behind a plot
  float borders = 0;     // pixels around panels, and on top of those around controls
  float future = 0.32f;  // alpha of what lies after the cursor
};
const ThemeMetrics& metrics(Theme theme);

// Colours by meaning. Text tokens (Text, Muted, Accent, Ok, Warn, Error) reach 4.5:1 on Bg, Panel and Raised,
// Text and Muted on Hover (what is under the pointer), Text and Accent on AccentSurface; marks reach 3:1 on
// Panel. Faint, Line, Absent and the surfaces are decoration. Theme::Contrast: 7:1 for all of them.
enum class Token {
  Bg,
  Panel,
  Raised,
  Hover,
  Line,
  Absent,  // of maps: what has no value, and its hatching; unlike the middle of every diverging map
  AbsentHatch,
  Text,
  Muted,
  Faint,
  Accent,
  AccentSurface,
  Ok,
  Warn,
  Error,
  Direct,
  Inherited,
  Fallback,
  Self,
  Run1,
  Run2,
  Run3,
  Run4,
  Run5,
  Run6,
  Run7,
  Run8,
  Count
};

// The colour of a token in the theme in force; `alpha` in 0..1 multiplies.
ImU32 color(Token token, float alpha = 1);
ImVec4 color4(Token token, float alpha = 1);
// The colour of run or series `index`, counted round the eight.
Token run_token(int index);

// A theme's whole table, as 0xRRGGBB, and the contrast of two of its colours (WCAG 2, 1 to 21).
const std::array<unsigned, static_cast<std::size_t>(Token::Count)>& palette(Theme theme);
double contrast(unsigned rgb_a, unsigned rgb_b);

// Loads the fonts below `root` into the current ImGui context; call once, before the first frame. Returns one
// sentence for each that is missing and what stands in for it; empty when all are there.
std::vector<std::string> load_fonts(const std::string& root = "/usr/share/fonts");
// Whether load_fonts() found the icon font.
bool icons_available();

// Rebuilds ImGui's and ImPlot's style from the base for `theme` at `scale` (1 = 96 dpi); calling it again
// never scales twice. Call between frames. current_scale() includes the theme's text factor, applied_scale()
// is what was handed in.
void apply_theme(Theme theme, float scale);
Theme current_theme();
float current_scale();
float applied_scale();

// A length in pixels of a 96-dpi screen, in framebuffer pixels.
inline float px(float length) { return length * current_scale(); }

// The thickness of a line or mark of plots: px(), and more where the theme wants heavier lines.
float line_px(float thickness);

enum class Font { Regular, Medium, SemiBold, Mono, MonoMedium };

// The four sizes of the design, in pixels at scale 1.
inline constexpr float kSmallText = 13, kBodyText = 15, kTitleText = 20, kDisplayText = 28;

// Pushes a font for as long as it lives: `FontScope mono(Font::Mono, kSmallText);`
class FontScope {
 public:
  FontScope(Font font, float size);
  ~FontScope() { ImGui::PopFont(); }
  FontScope(const FontScope&) = delete;
  FontScope& operator=(const FontScope&) = delete;
};
// The font itself, for ImDrawList and measuring: `handle(Font::Mono)->CalcTextSizeA(px(kSmallText), ...)`.
ImFont* handle(Font font);
// The size of `text` in framebuffer pixels; `size` at scale 1.
ImVec2 text_size(Font font, float size, const char* text, const char* text_end = nullptr);
// Draws `text` with its top left corner at `position`; `size` at scale 1.
void draw_text(ImDrawList* list, Font font, float size, ImVec2 position, ImU32 ink, const char* text,
               const char* text_end = nullptr);
// The same in at most `width` pixels: what does not fit becomes an ellipsis. Returns the width drawn.
enum class Fit { Whole, Shortened };
struct Drawn {
  float width = 0;
  Fit fit = Fit::Whole;
};
Drawn draw_text_within(ImDrawList* list, Font font, float size, ImVec2 position, float width, ImU32 ink,
                       const std::string& text);

}  // namespace sparsescope
