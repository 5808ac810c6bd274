// The parts that draw_track puts together: marks of the data, and what the pointer does. Nobody else needs
// them.
#pragma once

#include "viz/views/track_plot.h"

namespace sparsescope::viz {

// How bright a line is: hovered beats locked beats normal, in brightness only.
float brightness(const LinePicture& line, const Selection& selection);
// Up to the cursor bright, after it dim.
void draw_line(const LinePicture& line, const Picture& picture, float alpha);
void draw_area(const AreaPicture& area, const Picture& picture);
// Hover shows, click locks, Ctrl-drag brushes. The click that picks no line pins the place.
void handle_pointer(const TrackPlot& request, ViewContext& context);

}  // namespace sparsescope::viz
