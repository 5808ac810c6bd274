// Lines across a track: 0 where it means something, clamps that can be dragged while a trainer is attached.
#pragma once

#include "viz/views/track_plot.h"

namespace sparsescope::viz {

// Between plot::begin() and plot::end(). A handle that is let go posts the control's new value.
void draw_levels(const TrackPlot& request, ViewContext& context);

}  // namespace sparsescope::viz
