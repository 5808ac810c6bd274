// From triangles back to shapes: fans become polygons, chains of quads become lines and bands.
#pragma once

#include <optional>
#include <vector>

#include "imgui.h"

namespace sparsescope::render {

// A filled polygon, or a stroked line when `stroke` is positive.
struct Shape {
  enum class Kind { Polygon, Rectangle, Line } kind = Kind::Polygon;
  std::vector<ImVec2> points;  // Rectangle: top left and bottom right
  float stroke = 0;            // Line: its width
  ImU32 ink = 0;
};

// Joins quads that continue each other. ImGui draws a polyline without anti-aliasing as one quad a segment,
// and a band between two curves as quads that share their sides.
class QuadChain {
 public:
  // Corners in drawing order. Returns the shape that ends before this quad.
  std::optional<Shape> add(const ImVec2 (&corners)[4], ImU32 ink);
  std::optional<Shape> finish();

 private:
  enum class How { Single, Line, Band };
  std::vector<ImVec2> forward_, back_;  // corners 0, 1 and 3, 2 along the chain
  How how_ = How::Single;
  ImU32 ink_ = 0;
};

}  // namespace sparsescope::render
