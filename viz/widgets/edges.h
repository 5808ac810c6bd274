// Many edges between nodes in one draw command: curves are expanded in the vertex shader of viz/render, and
// by curve_points() for SVG and for picking (edge_picker.h). No layout, no thresholds: a query decides which
// edges there are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "imgui.h"
#include "viz/widgets/plot.h"

namespace sparsescope {

// Straight; Curve: leaves and arrives vertically (between rows); Arc: half a circle, flattened at the
// highest, on the right hand of who walks from -> to: over a row of tokens for edges to the left, under it
// for others.
enum class EdgeKind : std::uint8_t { Straight, Curve, Arc };

struct EdgeInstance {
  std::uint32_t from = 0, to = 0;  // nodes
  std::uint32_t ink = 0;           // ImU32, alpha not multiplied
  float width = 1;                 // at scale 1
  EdgeKind kind = EdgeKind::Straight;
  std::uint8_t dash = 0;  // plot::Dash
  std::uint16_t reserved = 0;
};
static_assert(sizeof(EdgeInstance) == 20);

inline constexpr std::size_t kMostEdges = 50'000;
inline constexpr int kEdgeSegments = 32;  // half a circle as wide as a screen is off by less than a pixel

class EdgeBatch;
using EdgeBatchPtr = std::shared_ptr<const EdgeBatch>;

// Immutable; make one when the graph or its colours change, not when the camera moves.
class EdgeBatch {
 public:
  // `nodes` in the coordinates of the plot. Throws std::logic_error for an edge to a node that is not there
  // or more than kMostEdges edges.
  static EdgeBatchPtr make(std::vector<ImVec2> nodes, std::vector<EdgeInstance> edges);

  const std::vector<ImVec2>& nodes() const { return nodes_; }
  const std::vector<EdgeInstance>& edges() const { return edges_; }
  std::uint64_t version() const { return version_; }  // a fingerprint of the content

 private:
  EdgeBatch() = default;
  std::vector<ImVec2> nodes_;
  std::vector<EdgeInstance> edges_;
  std::uint64_t version_ = 0;
};

// Where a batch lies: pixel = origin + scale * node.
struct EdgeView {
  ImVec2 origin{0, 0}, scale{1, 1};
  float width_factor = 1;  // framebuffer pixels per width unit
  float arc_height = 120;  // highest an arc rises, in framebuffer pixels
  float opacity = 1;       // over all
};

struct EdgesPayload {
  std::uint64_t version = 0;
  std::uint32_t nodes = 0, edges = 0;
  EdgeView view;
  const EdgeBatch* batch = nullptr;  // last and not hashed; alive while the frame is
};

// The points of one edge in framebuffer pixels, as the shader places them.
std::array<ImVec2, kEdgeSegments + 1> curve_points(const EdgeBatch& batch, std::size_t edge,
                                                   const EdgeView& view);
// Draws a batch with one command.
void draw_edges(ImDrawList* list, const EdgeBatchPtr& batch, const EdgeView& view);

namespace plot {
// The view of a batch whose nodes are in coordinates of the plot between begin() and end(); both axes linear.
EdgeView edge_view(float arc_height, float opacity = 1);
// Draws it there.
void edges(const EdgeBatchPtr& batch, const EdgeView& view);
}  // namespace plot

}  // namespace sparsescope
