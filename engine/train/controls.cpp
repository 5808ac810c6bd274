// What each control of the trainer is.
#include "engine/train/controls.h"

namespace sparsescope::train {
namespace {

trace::Control learning_rate_scale() {
  return {.name = kLearningRateScale,
          .value = 1,
          .minimum = 0,
          .maximum = 100,
          .is_switch = false,
          .is_logarithmic = true,
          .unit = "x",
          .text = "Multiplies the scheduled learning rate from the next step on"};
}

trace::Control pace(double initial) {
  return {.name = kPace,
          .value = initial,
          .minimum = 0,
          .maximum = 1000,
          .is_switch = false,
          .is_logarithmic = true,
          .unit = "steps/s",
          .text = "Most steps per second; 0 is no limit; results do not depend on it"};
}

trace::Control watching() {
  return {.name = kWatching,
          .value = 1,
          .minimum = 0,
          .maximum = 1,
          .is_switch = true,
          .is_logarithmic = false,
          .unit = "1",
          .text = "Off: no probes and no text samples, so that nothing but the training takes time"};
}

trace::Control probe_budget(double initial) {
  return {
      .name = kProbeBudget,
      .value = initial,
      .minimum = 0,
      .maximum = 10,
      .is_switch = false,
      .is_logarithmic = false,
      .unit = "percent",
      .text = "Most that probes may cost of the training time; dearer ones come less often; 0 is no limit"};
}

}  // namespace

void add_trainer_controls(model::ControlBlock& controls, const experiments::Experiment& experiment) {
  controls.add(learning_rate_scale());
  controls.add(pace(experiment.train.pace));
  controls.add(watching());
  controls.add(probe_budget(experiment.probe.budget_percent));
}

}  // namespace sparsescope::train
