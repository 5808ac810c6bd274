#include "viz/render/svg_glyphs.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "imgui_internal.h"

namespace sparsescope::render {
namespace {

constexpr float kSamePlace = 0.3f;  // pixels
constexpr int kMostSpaces = 3;      // more is another column of a table

void append_utf8(std::string& text, unsigned codepoint) {
  char bytes[5] = {};
  ImTextCharToUtf8(bytes, codepoint);
  text += bytes;
}

float space_advance(const ImFontBaked& baked) {
  return ' ' < baked.IndexAdvanceX.Size && baked.IndexAdvanceX[' '] > 0 ? baked.IndexAdvanceX[' ']
                                                                        : baked.Size * 0.25f;
}

std::string source_name(const DrawnGlyph& glyph) {
  const ImFont* font = glyph.baked->OwnerFont;
  const auto source = static_cast<int>(glyph.glyph->SourceIdx);
  return font != nullptr && source < font->Sources.Size ? font->Sources[source]->Name : "";
}

}  // namespace

SvgFont svg_font_of(const std::string& source) {
  const auto begins = [&](const char* with) { return source.rfind(with, 0) == 0; };
  const auto has = [&](const char* part) { return source.find(part) != std::string::npos; };
  SvgFont font;
  font.weight = has("SemiBold") ? 600 : has("Medium") ? 500 : 400;
  // Heights from the fonts' own tables: (ascender - descender) / units per em.
  if (begins("JetBrainsMono")) {
    font.family = "'JetBrains Mono', 'DejaVu Sans Mono', monospace";
    font.height_per_em = 1.32f;
  } else if (begins("NotoSans")) {
    font.family = "'Noto Sans', sans-serif";
    font.height_per_em = 1.362f;
  } else if (begins("materialdesignicons")) {
    font.family = "'Material Design Icons'";
    font.height_per_em = 1.f;
  } else {
    font.family = "Inter, 'Helvetica Neue', Arial, sans-serif";
  }
  return font;
}

GlyphIndex::GlyphIndex(const ImFontAtlas& atlas) {
  if (atlas.Builder == nullptr) return;
  for (int i = 0; i < atlas.Builder->BakedPool.Size; ++i) {
    const ImFontBaked& baked = atlas.Builder->BakedPool[i];
    if (baked.WantDestroy) continue;
    for (const ImFontGlyph& glyph : baked.Glyphs) {
      if (glyph.Visible && glyph.U1 > glyph.U0) entries_.push_back({&glyph, &baked});
    }
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.glyph->U0 < b.glyph->U0; });
}

std::optional<DrawnGlyph> GlyphIndex::find(const std::array<ImDrawVert, 4>& quad) const {
  const ImVec2 low = quad[0].uv, high = quad[2].uv;
  if (!(high.x > low.x) || !(high.y > low.y)) return std::nullopt;
  const ImVec2 middle{(low.x + high.x) / 2, (low.y + high.y) / 2};
  auto after = std::upper_bound(entries_.begin(), entries_.end(), middle.x,
                                [](float u, const Entry& entry) { return u < entry.glyph->U0; });
  while (after != entries_.begin()) {
    const Entry& entry = *--after;
    const ImFontGlyph& glyph = *entry.glyph;
    if (middle.x > glyph.U1 || middle.y < glyph.V0 || middle.y > glyph.V1) continue;
    // A clipped glyph shows only a part of its picture; its pen is where the whole would start.
    const float per_u = (quad[2].pos.x - quad[0].pos.x) / (high.x - low.x);
    const float per_v = (quad[2].pos.y - quad[0].pos.y) / (high.y - low.y);
    const float scale = per_u * (glyph.U1 - glyph.U0) / (glyph.X1 - glyph.X0);
    DrawnGlyph drawn;
    drawn.codepoint = glyph.Codepoint;
    drawn.glyph = entry.glyph;
    drawn.baked = entry.baked;
    drawn.pen = quad[0].pos.x - (low.x - glyph.U0) * per_u - glyph.X0 * scale;
    const float line_top = quad[0].pos.y - (low.y - glyph.V0) * per_v - glyph.Y0 * scale;
    drawn.baseline = line_top + entry.baked->Ascent * scale;
    drawn.advance = glyph.AdvanceX * scale;
    drawn.size = entry.baked->Size * scale;
    return drawn;
  }
  return std::nullopt;
}

std::optional<TextRun> TextRuns::add(const DrawnGlyph& glyph, ImU32 ink) {
  std::optional<TextRun> done;
  int spaces = 0;
  bool continues = run_ && baked_ == glyph.baked && run_->ink == ink &&
                   std::abs(run_->baseline - glyph.baseline) < kSamePlace &&
                   run_->source == source_name(glyph);
  if (continues) {
    const float space = space_advance(*glyph.baked) * glyph.size / glyph.baked->Size;
    const float gap = glyph.pen - pen_;
    spaces = static_cast<int>(std::lround(gap / space));
    continues = spaces >= 0 && spaces <= kMostSpaces &&
                std::abs(gap - static_cast<float>(spaces) * space) < kSamePlace * (1 + spaces);
  }
  if (!continues) {
    done = finish();
    run_ = TextRun{{}, source_name(glyph), glyph.pen, glyph.baseline, 0, glyph.size, ink};
    baked_ = glyph.baked;
    spaces = 0;
  }
  run_->text += std::string(static_cast<std::size_t>(spaces), ' ');
  append_utf8(run_->text, glyph.codepoint);
  pen_ = glyph.pen + glyph.advance;
  run_->width = pen_ - run_->x;
  return done;
}

std::optional<TextRun> TextRuns::finish() {
  std::optional<TextRun> done = std::move(run_);
  run_.reset();
  return done;
}

}  // namespace sparsescope::render
