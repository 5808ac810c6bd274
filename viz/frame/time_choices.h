// What a person chose about the timeline, as data: charts, lanes and whether they are shown, for undo; with
// the time axis and the smoothing that all plots share, for layouts.
#pragma once

#include <nlohmann/json.hpp>

#include "viz/model/time_tracks.h"

namespace sparsescope::frame {

struct State;

// {"tracks": true, "charts": null (the run's own) or [{"channel": "density", "labels": ["3", "direct"],
// "mean": false}, ...], "hidden_lanes": ["checkpoints"]}.
nlohmann::json time_bar_now(const State& state);
// What is missing or of another kind keeps its value; more charts than fit are left out.
void take_time_bar(State& state, const nlohmann::json& choices);

// The same with "time.axis", "time.smoothing" and "time.smoothing_window" as in the settings.
nlohmann::json time_choices_now(const State& state);
void take_time_choices(State& state, const nlohmann::json& choices);

// Shows a chart over the timeline, or takes it off. Empty, or one sentence why not.
std::string toggle_chart(State& state, const viz::Run& run, const viz::ChartChoice& choice);

}  // namespace sparsescope::frame
