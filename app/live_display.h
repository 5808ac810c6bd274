// Follows a run on a terminal: one line that renews itself, or a line every few seconds where there is no
// terminal.
#pragma once

#include "app/training_run.h"

namespace sparsescope::app {

// Returns when the run is over; a stop signal asks it to end cleanly. Call catch_stop_signals() before.
void follow_run(TrainingRun& run);

}  // namespace sparsescope::app
