// The live controls that the trainer registers beside the model's, and one of the model's that it must know.
#pragma once

#include "engine/experiments/experiment.h"
#include "engine/model/control_block.h"

namespace sparsescope::train {

inline constexpr const char* kLearningRateScale = "learning_rate_scale";
inline constexpr const char* kPace = "pace";
inline constexpr const char* kWatching = "watching";
inline constexpr const char* kProbeBudget = "probe_budget";
inline constexpr const char* kThresholdFreeze = "threshold_freeze";

void add_trainer_controls(model::ControlBlock& controls, const experiments::Experiment& experiment);

}  // namespace sparsescope::train
