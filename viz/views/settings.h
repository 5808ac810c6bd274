// Settings that several views show in their popovers, and the controls that several popovers share.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "viz/model/query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

// One switch for all charts: every view that smooths holds the same object.
struct SharedSettings {
  Smoothing smoothing;
};

// The time axis that all plots share: step, tokens, wall time, relative step; set by its command where there
// are commands. True when it changed.
bool choose_time_axis(ViewContext& context);
// The smoothing switch and its window. True when it changed.
bool choose_smoothing(Smoothing& smoothing);
// Which layers a mean is taken over. True when it changed.
bool choose_layers(LayerSpan& span, std::int64_t layers);
// Number of layers of the current run's `channel`; 0 when there is none.
std::int64_t layers_shown(const ViewContext& context, const char* channel);

// --- settings as JSON: a list of names and places serves both ways ---
using Switches = std::initializer_list<std::pair<const char*, bool*>>;
// Takes the switches that are there and are booleans.
void take_switches(const nlohmann::json& settings, Switches switches);
// "smoothing", "smoothing_window" and "first_layer", "last_layer", the same in every view.
void put(nlohmann::json& settings, const Smoothing& smoothing);
void take(const nlohmann::json& settings, Smoothing& smoothing);
void put(nlohmann::json& settings, const LayerSpan& span);
void take(const nlohmann::json& settings, LayerSpan& span);

}  // namespace sparsescope::viz
