// What stands on top of a view that shows several runs: which ones, in their colours, how time is locked, how
// their configurations differ, and what forbids differences.
#pragma once

#include "viz/model/comparison.h"
#include "viz/model/run.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

// Draws at the cursor position and moves it below. Nothing for an empty banner.
void draw_comparison(const ComparisonBanner& banner, TimeAxis axis);

// While no run is pinned: what offers to pick one. As a button, or as an entry of a menu; each does nothing
// where there is no other run.
void offer_second_run(const ViewContext& context);
void offer_second_run_in_menu(const ViewContext& context);
// Asks for a run to pin while none is; false: one is pinned, or there is no other run.
bool pick_second_run(const ViewContext& context);

}  // namespace sparsescope::viz
