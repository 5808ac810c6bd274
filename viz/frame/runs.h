// The list of runs in the window: its commands, and what only the window knows about the run it trains.
#pragma once

#include <optional>

#include "viz/frame/state.h"

namespace sparsescope::frame {

// The run of this window's trainer in the list's words; nothing: none was started.
std::optional<viz::TrainedRun> trained_run(const State& state);

// Commands of text samples and of the cost of watching.
void add_sample_commands(State& state);

}  // namespace sparsescope::frame
