// The program with a window: events, frames, and the end.
#pragma once

#include "app/desktop_options.h"

namespace sparsescope::app {

// Returns the exit code. Throws Error when there is no display or nothing can start.
int run_window(const DesktopOptions& options);

}  // namespace sparsescope::app
