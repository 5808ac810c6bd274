// What the window remembers between starts that is no setting: which commands were chosen last. One JSON
// object, kept by the program; what cannot be used is left out, never a reason not to start.
#pragma once

namespace sparsescope::frame {

struct State;

// Reads what was kept; called once, when the command table is full.
void recall(State& state);
// Between frames: gives the program what changed, to keep.
void keep_memory(State& state);

}  // namespace sparsescope::frame
