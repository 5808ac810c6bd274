// What stands on top of a view that shows several runs: which ones, in their colours, how time is locked, how
// their configurations differ, and what forbids differences.
#pragma once

#include "viz/model/comparison.h"
#include "viz/model/run.h"

namespace sparsescope::viz {

// Draws at the cursor position and moves it below. Nothing for an empty banner.
void draw_comparison(const ComparisonBanner& banner, TimeAxis axis);

}  // namespace sparsescope::viz
