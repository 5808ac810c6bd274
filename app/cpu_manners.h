// How a program of ours behaves on the cores it shares with its own window and with everybody else.
#pragma once

namespace sparsescope::app {

// Threads of OpenMP that wait sleep instead of spinning, and memory that a training step frees stays with the
// process. OpenMP reads its environment before main, so the program starts itself anew once; call first thing
// in main. OMP_WAIT_POLICY set by the user is left alone.
void mind_cpu_manners(char** argv);

}  // namespace sparsescope::app
