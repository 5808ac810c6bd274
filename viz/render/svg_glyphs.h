// From textured quads back to text: which glyph of which font a quad shows, and runs of them as words.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "imgui.h"

struct ImFontBaked;

namespace sparsescope::render {

// A font as SVG names it.
struct SvgFont {
  std::string family;  // with fall-backs
  int weight = 400;
  float height_per_em = 1.21f;  // ImGui's size is from ascender to descender
};
// From the name of a font source, "Inter-SemiBold.otf".
SvgFont svg_font_of(const std::string& source);

// One glyph where it was drawn, in framebuffer pixels.
struct DrawnGlyph {
  unsigned codepoint = 0;
  const ImFontGlyph* glyph = nullptr;
  const ImFontBaked* baked = nullptr;
  float pen = 0, baseline = 0, advance = 0, size = 0;
};

class GlyphIndex {
 public:
  explicit GlyphIndex(const ImFontAtlas& atlas);
  // Corners of a quad: top left, top right, bottom right, bottom left. Nothing when it shows no glyph.
  std::optional<DrawnGlyph> find(const std::array<ImDrawVert, 4>& quad) const;

 private:
  struct Entry {
    const ImFontGlyph* glyph;
    const ImFontBaked* baked;
  };
  std::vector<Entry> entries_;  // by U0
};

// Glyphs that follow each other on one line in one font and colour.
struct TextRun {
  std::string text;  // UTF-8, with its spaces
  std::string source;
  float x = 0, baseline = 0, width = 0, size = 0;
  ImU32 ink = 0;
};

class TextRuns {
 public:
  // Returns the run that `glyph` does not belong to any more, when there is one.
  std::optional<TextRun> add(const DrawnGlyph& glyph, ImU32 ink);
  std::optional<TextRun> finish();

 private:
  std::optional<TextRun> run_;
  const ImFontBaked* baked_ = nullptr;
  float pen_ = 0;
};

}  // namespace sparsescope::render
