// Every view in words, without a window: which queries there are, by the view's id.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "viz/model/query_frame.h"

namespace sparsescope::viz {

struct Description {
  PictureState state = PictureState::Empty;  // Loading: ask again when the heavy row has come
  Twin twin;
  std::string
      no_difference;  // why a map or grid is not the difference to the baseline; empty: it is, or has none
};

// Ids in the order of the views' table.
std::vector<std::string> described_views();
// What `view` shows with the settings it starts with; where the frame has a baseline, maps and grids show the
// difference to it. Throws Error (Usage) naming the views when there is no such one.
Description describe(std::string_view view, const QueryFrame& frame);

}  // namespace sparsescope::viz
