// The program without a window: train when asked to, then draw recordings into PNG files.
#pragma once

#include "app/desktop_options.h"

namespace sparsescope::app {

// Returns the exit code; pictures written are named on standard output. Throws Error.
int run_offscreen(const DesktopOptions& options);

}  // namespace sparsescope::app
