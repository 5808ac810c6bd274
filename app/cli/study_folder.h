// The folder of an experiment of arms x seeds before anything is trained in it: made, found again, or
// refused.
#pragma once

#include <string>
#include <vector>

#include "app/run_arguments.h"
#include "engine/experiments/manifest.h"

namespace sparsescope::app {

// What a command line means: an experiment file of arms x seeds, or a folder to go on with.
bool is_study(const RunArguments& arguments);

struct StudyFolder {
  std::string path;
  experiments::Manifest manifest;
  train::Device device = train::Device::Auto;

  // The text of a run where it lies on this machine; empty: what its experiment names.
  std::vector<std::string> corpus() const;
  // What a run trains, its seed and the place of its text on this machine in it.
  experiments::Experiment experiment(const experiments::ManifestRun& run) const;
};

// Only what can be said without a lock and without writing: the folder's name. Throws Error (Usage).
std::string study_folder_path(const RunArguments& arguments);

// Makes the manifest of a new folder or reads the one that is there, and adds this command to it; nothing is
// saved. Throws Error: Usage for arguments that do not go together and mistakes in the file, Refused for a
// folder of something else or of another experiment (names what differs) and for a text that is not where it
// was.
StudyFolder open_study(const RunArguments& arguments, const std::string& path);

}  // namespace sparsescope::app
