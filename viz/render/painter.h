// Draws a frame of ImGui with everything of ours in it; window and off-screen surface share it.
#pragma once

#include <memory>

#include "viz/render/edge_painter.h"
#include "viz/render/heatmap_painter.h"
#include "viz/render/vision_pass.h"

struct ImDrawData;

namespace sparsescope::render {

// Needs the surface's context to be current, from construction to destruction; one at a time is in force.
class Painter {
 public:
  Painter();
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  // Clears `target` and draws into it, with the colour vision in force.
  void draw(ImDrawData& data, GLuint target, int width, int height);

  // Made when they are first asked for: a first picture without them is not kept waiting by their shaders.
  HeatmapPainter& heatmaps();
  EdgePainter& edges();
  // The painter in force; none without a surface. For tests and statistics.
  static Painter* current();

 private:
  std::unique_ptr<HeatmapPainter> heatmaps_;
  std::unique_ptr<EdgePainter> edges_;
  std::unique_ptr<VisionPass> vision_;
  Target target_;
};

}  // namespace sparsescope::render
