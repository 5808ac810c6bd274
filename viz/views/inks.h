// From what a mark stands for to a colour of the theme. The only place where views meet colours.
#pragma once

#include "viz/model/picture.h"
#include "viz/widgets/plot.h"
#include "viz/widgets/theme.h"

namespace sparsescope::viz {

// `place` as in LinePicture; `run` is Run::id(), which chooses the run's colour.
ImU32 ink_color(Ink ink, double place, std::uint32_t run, float alpha = 1);
// The colour of layer `place` in 0..1: from grey over warm to nearly the text, so that neighbours differ and
// depth shows.
ImU32 ramp_color(double place, float alpha = 1);
plot::Dash plot_dash(Dash dash);

}  // namespace sparsescope::viz
