// Where a draw-list callback of ours draws: what ImGui's renderer knows and hands to nobody.
#pragma once

#include "imgui.h"

namespace sparsescope::render {

struct Target {
  float width = 0, height = 0;  // framebuffer pixels
  ImVec2 scale{1, 1};           // framebuffer pixels per pixel of the interface
};

// Clips to the rectangle of a command; false when nothing of it is seen.
bool clip_to(const ImDrawCmd& command, const Target& target);

}  // namespace sparsescope::render
