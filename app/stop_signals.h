// Signals that ask a program to end as it should.
#pragma once

namespace sparsescope::app {

// Makes Ctrl-C, SIGTERM and SIGHUP set a flag instead of killing the process.
void catch_stop_signals();
bool stop_signal_seen();

}  // namespace sparsescope::app
