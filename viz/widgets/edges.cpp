#include "viz/widgets/edges.h"

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"
#include "implot.h"
#include "viz/model/fingerprint.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope {
namespace {

ImVec2 placed(const EdgeView& view, ImVec2 node) {
  return {view.origin.x + view.scale.x * node.x, view.origin.y + view.scale.y * node.y};
}

// The four control points of an edge, in framebuffer pixels. The shader does the same.
std::array<ImVec2, 4> control_points(const EdgeBatch& batch, const EdgeInstance& edge, const EdgeView& view) {
  const ImVec2 from = placed(view, batch.nodes()[edge.from]), to = placed(view, batch.nodes()[edge.to]);
  switch (edge.kind) {
    case EdgeKind::Curve: {
      const float middle = (from.y + to.y) / 2;
      return {from, ImVec2{from.x, middle}, ImVec2{to.x, middle}, to};
    }
    case EdgeKind::Arc: {
      const ImVec2 along{to.x - from.x, to.y - from.y};
      const float length = std::sqrt(along.x * along.x + along.y * along.y);
      if (length <= 0) return {from, from, to, to};
      // Half a circle has its control points 4/3 of a radius away.
      const float rise = std::min(view.arc_height, length / 2) * (4.f / 3.f) / length;
      const ImVec2 up{-along.y * rise, along.x * rise};
      return {from, ImVec2{from.x + up.x, from.y + up.y}, ImVec2{to.x + up.x, to.y + up.y}, to};
    }
    case EdgeKind::Straight:
      break;
  }
  const ImVec2 third{(to.x - from.x) / 3, (to.y - from.y) / 3};
  return {from, ImVec2{from.x + third.x, from.y + third.y}, ImVec2{to.x - third.x, to.y - third.y}, to};
}

}  // namespace

EdgeBatchPtr EdgeBatch::make(std::vector<ImVec2> nodes, std::vector<EdgeInstance> edges) {
  check(edges.size() <= kMostEdges, "a batch takes 50,000 edges; aggregate or threshold first");
  for (const EdgeInstance& edge : edges)
    check(edge.from < nodes.size() && edge.to < nodes.size(), "an edge ends at a node that is not there");
  std::shared_ptr<EdgeBatch> batch(new EdgeBatch);
  batch->nodes_ = std::move(nodes);
  batch->edges_ = std::move(edges);
  batch->version_ = viz::fingerprint(0xed6e5, batch->nodes_.data(), batch->nodes_.size() * sizeof(ImVec2));
  batch->version_ =
      viz::fingerprint(batch->version_, batch->edges_.data(), batch->edges_.size() * sizeof(EdgeInstance));
  return batch;
}

std::array<ImVec2, kEdgeSegments + 1> curve_points(const EdgeBatch& batch, std::size_t edge,
                                                   const EdgeView& view) {
  const std::array<ImVec2, 4> p = control_points(batch, batch.edges()[edge], view);
  std::array<ImVec2, kEdgeSegments + 1> points;
  for (int i = 0; i <= kEdgeSegments; ++i) {
    const float t = static_cast<float>(i) / kEdgeSegments, u = 1 - t;
    const float w[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
    ImVec2& point = points[static_cast<std::size_t>(i)];
    point = {w[0] * p[0].x + w[1] * p[1].x + w[2] * p[2].x + w[3] * p[3].x,
             w[0] * p[0].y + w[1] * p[1].y + w[2] * p[2].y + w[3] * p[3].y};
  }
  return points;
}

void draw_edges(ImDrawList* list, const EdgeBatchPtr& batch, const EdgeView& view) {
  if (!batch || batch->edges().empty()) return;
  EdgesPayload payload;
  payload.version = batch->version();
  payload.nodes = static_cast<std::uint32_t>(batch->nodes().size());
  payload.edges = static_cast<std::uint32_t>(batch->edges().size());
  payload.view = view;
  payload.batch = batch.get();
  add_payload(list, payload);
  keep_for_frame(batch);
}

namespace plot {

EdgeView edge_view(float arc_height, float opacity) {
  const Mapping to = mapping();
  EdgeView view;
  view.origin = {static_cast<float>(to.origin_x), static_cast<float>(to.origin_y)};
  view.scale = {static_cast<float>(to.per_x), static_cast<float>(to.per_y)};
  view.width_factor = line_px(1);
  view.arc_height = arc_height;
  view.opacity = opacity;
  return view;
}

void edges(const EdgeBatchPtr& batch, const EdgeView& view) {
  draw_edges(ImPlot::GetPlotDrawList(), batch, view);
}

}  // namespace plot
}  // namespace sparsescope
