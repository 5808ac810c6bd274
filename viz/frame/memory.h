// What the window remembers between starts that is no setting: which commands were chosen last, how large it
// was. One JSON object, kept by the program; what cannot be used is left out, never a reason not to start.
#pragma once

#include <array>
#include <optional>
#include <string>

namespace sparsescope::frame {

struct State;

// Width and height of the window in `memory`, in screen units; nothing: none were kept, or none that a window
// can have.
std::optional<std::array<int, 2>> window_size_in(const std::string& memory);

// Reads what was kept; called once, when the command table is full.
void recall(State& state);
// Between frames: gives the program what changed, to keep.
void keep_memory(State& state);

}  // namespace sparsescope::frame
