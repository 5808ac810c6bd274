// An experiment's folder in words and tables: its manifest, and from the recordings what each run came to.
// Trains nothing and changes nothing.
#pragma once

#include <string>
#include <vector>

#include "engine/experiments/manifest.h"
#include "viz/model/run_outcome.h"

namespace sparsescope::app {

struct StudyOutcome {
  experiments::ManifestRun run;
  std::vector<viz::OutcomeNumber> numbers;  // of a finished run
  std::string problem;                      // why its recording gave none, one sentence; or empty
};
// One entry a run, in the manifest's order.
std::vector<StudyOutcome> study_outcomes(const std::string& folder, const experiments::Manifest& manifest);

// What `info` prints. Throws Error (Refused) for a folder that is no experiment.
std::string study_words(const std::string& folder);
std::string study_json(const std::string& folder);

}  // namespace sparsescope::app
