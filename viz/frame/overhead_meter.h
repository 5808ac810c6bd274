// The cost of watching in the top bar, and what it is made of in a popover.
#pragma once

#include "viz/frame/state.h"

namespace sparsescope::frame {

// How wide the meter is, in framebuffer pixels.
float overhead_meter_width();
// Draws it with its top left corner at `at`, as high as a number of the top bar.
void draw_overhead_meter(State& state, ImVec2 at);

}  // namespace sparsescope::frame
