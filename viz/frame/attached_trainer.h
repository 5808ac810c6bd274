// The trainer of the selected run as views see it.
#pragma once

#include <optional>

#include "viz/frame/state.h"

namespace sparsescope::frame {

// Nothing: the selected run is not being trained in this window.
std::optional<viz::AttachedTrainer> attached_trainer(State& state);

}  // namespace sparsescope::frame
