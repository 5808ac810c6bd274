// Which edge of a batch lies nearest to a place on the screen, without looking at each of them: edges with
// neighbouring ends are kept in groups of groups, and a group whose curves cannot come near is left out
// whole.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "viz/widgets/edges.h"

namespace sparsescope {

class EdgePicker {
 public:
  explicit EdgePicker(EdgeBatchPtr batch);

  // The edge nearest to `pixel`, at most `most_pixels` away, as curve_points() places them; the later drawn
  // wins when equal.
  std::optional<std::size_t> nearest(const EdgeView& view, ImVec2 pixel, float most_pixels) const;

 private:
  struct Box {
    ImVec2 min, max;
  };
  // Edges that begin in one box and end in another, in coordinates of the nodes.
  struct Group {
    Box from, to;
    std::uint32_t first = 0, end = 0;  // groups of the level below, or places in order_
    std::uint8_t kinds = 0;            // a bit of each EdgeKind
  };
  struct Search;
  static Group group_of_one(const EdgeBatch& batch, std::uint32_t edge);
  static void widen(Group& group, const Group& by);
  void add_levels();
  void visit(std::size_t level, const Group& group, Search& search) const;

  EdgeBatchPtr batch_;
  std::vector<std::uint32_t> order_;        // edges; those with neighbouring ends stand together
  std::vector<std::vector<Group>> levels_;  // finest first
};

}  // namespace sparsescope
