// The file `name.notes.json` beside a recording `name.h5`: what a person marked and wrote. The recording
// itself is never written.
#pragma once

#include <string>

#include "viz/frame/host.h"

namespace sparsescope::app {

// "<folder>/name.notes.json" for "<folder>/name.h5".
std::string sidecar_path(const std::string& recording);
// What is there for the run `uuid`, empty when there is nothing. A file that cannot be used is kept aside
// under another name and `note` says which and why. Never throws.
frame::LoadedAnnotations load_sidecar(const std::string& recording, const std::string& uuid);
// Whole or not at all; nothing is made for a run that has nothing marked and has no such file. Throws Error.
void save_sidecar(const std::string& recording, const std::string& uuid, const viz::Annotations& annotations);

}  // namespace sparsescope::app
