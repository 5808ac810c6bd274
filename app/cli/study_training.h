// Trains what is left of an experiment's folder, run after run; its manifest says at any moment how far it
// got.
#pragma once

#include "app/cli/study_folder.h"

namespace sparsescope::app {

// `train` for an experiment of arms x seeds: takes the lock, trains, and reports on standard output;
// `as_json`: the manifest. Ctrl-C ends the run at hand cleanly and leaves the others waiting. Returns an exit
// code; throws Error when runs failed (after the others), or when nothing could begin.
enum class StudyReport { Words, Json };
int train_study(const RunArguments& arguments, StudyReport report);

}  // namespace sparsescope::app
