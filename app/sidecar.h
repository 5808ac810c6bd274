// The file `name.notes.json` beside a recording `name.h5`: what a person marked and wrote. The recording
// itself is never written.
#pragma once

#include <string>

#include "app/opened_recording.h"
#include "viz/frame/host.h"

namespace sparsescope::app {

// One such file as it was seen last, so that what another program wrote meanwhile is noticed.
class Sidecar {
 public:
  // What is there for the run `uuid`, empty when there is nothing. A file that cannot be used is kept aside
  // under another name and `note` says which and why. Never throws.
  frame::LoadedAnnotations load(const std::string& recording, const std::string& uuid);
  // Whole or not at all; nothing is made for a run that has nothing marked and has no such file. What changed
  // in the file since it was seen last is merged into `annotations`; one sentence when it could not be used
  // and was kept aside. Throws Error.
  std::string save(const std::string& recording, const std::string& uuid, viz::Annotations& annotations);

 private:
  std::string seen_;  // its bytes
};

}  // namespace sparsescope::app
