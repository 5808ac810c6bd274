// Follows a run on a terminal: one line that renews itself, or a line every few seconds where there is no
// terminal.
#pragma once

#include <functional>
#include <string>

#include "app/training_run.h"

namespace sparsescope::app {

// Returns when the run is over; a stop signal asks it to end cleanly. Call catch_stop_signals() before.
// `line` is asked several times a second. The answer is why the run was stopped although nobody asked for it
// (a value that is not finite, say), in words; empty otherwise.
using LiveLine = std::function<std::string(const train::Status&)>;
std::string follow_run(TrainingRun& run, const LiveLine& line = live_line);

}  // namespace sparsescope::app
