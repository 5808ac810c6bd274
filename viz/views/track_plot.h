// Draws one track of a picture as a plot and reports what the pointer does to it.
#pragma once

#include "viz/model/picture.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

struct TrackPlot {
  const Picture& picture;
  const TrackPicture& track;
  ImVec2 size{0, 0};  // framebuffer pixels
  bool show_x_labels = true;
  bool show_flag_words = false;  // the top track of a stack names the flags
  float right_gutter = 12;       // lengths at scale 1; tracks over one axis share it
};

// Draws into the current window at the cursor position. Pan and zoom go to the timeline's window, hover and
// clicks to the selection.
void draw_track(const TrackPlot& plot, ViewContext& context);

// Room that labels at line ends need right of the plot, at scale 1.
float end_label_gutter(const Picture& picture, const TrackPicture& track);

// Value of a line at a place: the column there or the last before it; NaN left of the first.
double value_at(const LinePicture& line, double x);
// Its standard error there; NaN where lines have none.
double error_at(const LinePicture& line, double x);
double thickness_at(const AreaPicture& area, double x);

// A sample in the plot that is being drawn. Hollow: not distinguishable from 0.
enum class Filling { Full, Hollow };
void draw_dot(double x, double y, Filling filling, ImU32 ink);

}  // namespace sparsescope::viz
