// The edges of a routing graph as batches for the graphics card, one a layer: width and opacity by mass,
// colour and dash by reason, hues of the locked token. No pointer, no text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "viz/model/routing_query.h"
#include "viz/widgets/edge_picker.h"
#include "viz/widgets/plot.h"
#include "viz/widgets/theme.h"

namespace sparsescope::viz {

// Made anew when the graph or the theme changes, not when the camera moves.
class RoutingBatches {
 public:
  void refresh(const RoutingPicture& picture);

  struct Batch {
    EdgeBatchPtr edges;
    std::vector<std::uint32_t> marks;  // of each edge: index into RoutingContent::marks
    EdgePicker picker;
  };
  // One a layer shown, first_layer first.
  const std::vector<Batch>& layers() const { return layers_; }
  // The edges of one node, or of one mark, at full strength; null when there are none.
  EdgeBatchPtr highlight(const RoutingPicture& picture, std::optional<std::size_t> node,
                         std::optional<std::size_t> mark) const;

 private:
  std::shared_ptr<const RoutingContent> content_;
  RoutingLayout layout_ = RoutingLayout::Arcs;
  Theme theme_ = Theme::Dark;
  std::vector<Batch> layers_;
};

plot::Dash routing_dash(RoutingReason reason);
Token routing_token(RoutingReason reason);
// Of a mark: gained and lost in a difference, the hue of the locked token's past and future, else the reason.
Token mark_token(const RoutingContent& content, const RoutingMark& mark);

}  // namespace sparsescope::viz
