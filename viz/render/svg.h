// What ImGui is about to draw, as SVG: text as text, marks as vectors, heatmap bodies as embedded pictures. A
// surface like the others, without pixels and without OpenGL.
#pragma once

#include <string>

struct ImDrawData;

namespace sparsescope::render {

struct SvgOptions {
  std::string title, description;  // for readers of the picture; may be empty
  // Width and height in the file's own unit are the frame's divided by this: fonts keep their size on paper
  // whatever the scale the frame was drawn at.
  float scale = 1;
};

// The same frame gives the same bytes. Draw with anti-aliasing off (ImGuiStyle) so that a mark is one shape,
// and after a few frames, when all glyphs are in the atlas. A mark whose corners differ in colour gets the
// mean.
std::string svg_of(const ImDrawData& frame, const SvgOptions& options);

}  // namespace sparsescope::render
