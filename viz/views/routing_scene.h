// The drawing of a routing graph: its tokens in reading order, edges from query to key, and the pointer over
// them. What is drawn is decided in viz/model/routing_query.cpp; controls and words around it are the view's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "viz/model/routing_query.h"
#include "viz/views/routing_batches.h"
#include "viz/views/view.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {

// What the pointer is over.
struct RoutingPlace {
  std::optional<std::size_t> node, mark;
  std::optional<std::int64_t> layer;
  bool is_empty() const { return !node && !mark && !layer; }
};

class RoutingScene {
 public:
  // Draws at the cursor position in `size` framebuffer pixels. Pan and zoom go to `camera` (tokens), hover
  // and clicks to the selection. Without content: the row of tokens and the picture's words.
  RoutingPlace draw(const RoutingPicture& picture, ImVec2 size, plot::AxisRange& camera,
                    ViewContext& context);
  // The edge that keys hold: lit where the pointer is over nothing.
  void hold(std::optional<std::size_t> mark) { held_mark_ = mark; }
  // Width of the drawing at scale 1 in the last frame; 0 before the first.
  double width() const { return width_; }
  // Where a token stood on the lowest row in the last frame.
  ImVec2 foot_of(double token) const { return {foot_.x + static_cast<float>(token * per_token_), foot_.y}; }

 private:
  struct Frame;
  void lay_out(const RoutingPicture& picture, Frame& frame) const;
  void steer(const RoutingPicture& picture, Frame& frame, plot::AxisRange& camera, ViewContext& context);
  RoutingPlace pick(const RoutingPicture& picture, const Frame& frame) const;
  void draw_edges(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit);
  void draw_nodes(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit,
                  const ViewContext& context) const;
  void draw_labels(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit,
                   const ViewContext& context) const;

  RoutingBatches batches_;
  std::optional<std::size_t> held_mark_;
  double width_ = 0, per_token_ = 1;
  ImVec2 foot_{0, 0};  // of token 0
  // The highlight of the last frame and what it was made for.
  std::shared_ptr<const RoutingContent> lit_content_;
  RoutingPlace lit_;
  Theme lit_theme_ = Theme::Dark;
  EdgeBatchPtr lit_edges_;
};

}  // namespace sparsescope::viz
