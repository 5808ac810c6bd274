// Between the form of a new run and the experiment it means: every key becomes a field, every field is set by
// its key, and what the engine refuses stands beside the field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/run_arguments.h"
#include "engine/experiments/experiment.h"
#include "viz/model/new_run_form.h"

namespace sparsescope::app {

// How fast this computer trained last, to say how long a run will take.
struct TrainingRate {
  double tokens_per_second = 0;
  std::int64_t parameters = 0;  // of the model that was trained
  std::string device;           // "cpu" or "cuda"
};

// The preset's values on `device` ("auto", "cpu", "cuda"), unchecked. Throws Error for what does not exist.
viz::NewRunForm form_of_preset(const std::string& preset, const std::string& device);
// Puts what was said elsewhere (the command line) into the form as changed values.
void put_arguments(viz::NewRunForm& form, const RunArguments& arguments);
// Fills the errors, the problem and the estimates.
void check_form(viz::NewRunForm& form, const std::optional<TrainingRate>& rate);
// The experiment that a form means. Throws Error for the first value that will not do.
experiments::Experiment experiment_of(const viz::NewRunForm& form);
// The same as a command line: preset, device and what was changed. Everything else keeps its default.
RunArguments arguments_of(const viz::NewRunForm& form);

}  // namespace sparsescope::app
