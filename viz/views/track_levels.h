// Lines across a track: 0 where it means something, clamps that can be dragged while a trainer is attached,
// levels that a person looks for, and where lines first pass them.
#pragma once

#include "viz/views/track_plot.h"

namespace sparsescope::viz {

// Levels that a person sets stand over the lines, the others under them.
enum class LevelLayer { UnderLines, OverLines };
// Between plot::begin() and plot::end(). A handle that is let go posts the control's new value, or runs the
// command that sets the level.
void draw_levels(const TrackPlot& request, ViewContext& context, LevelLayer layer);
// Rings where layers first pass the level; dots where they lie beyond it from their first sample on. Over the
// lines.
void draw_crossings(const TrackPlot& request, const Selection& selection);

}  // namespace sparsescope::viz
