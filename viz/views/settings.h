// Settings that several views show in their popovers, and the controls that several popovers share.
#pragma once

#include "viz/model/query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

// One switch for all charts: every view that smooths holds the same object.
struct SharedSettings {
  Smoothing smoothing;
};

// The time axis that all plots share: step, tokens, wall time, relative step. True when it changed.
bool choose_time_axis(TimeWindow& window);
// The smoothing switch and its window. True when it changed.
bool choose_smoothing(Smoothing& smoothing);
// Which layers a mean is taken over. True when it changed.
bool choose_layers(LayerSpan& span, std::int64_t layers);
// Number of layers of the current run's `channel`; 0 when there is none.
std::int64_t layers_shown(const ViewContext& context, const char* channel);

}  // namespace sparsescope::viz
