// Where this user's recordings and settings live, and what a new recording is called.
#pragma once

#include <string>

namespace sparsescope::app {

// <XDG data home>/sparsescope/recordings, made if missing. Throws Error when it cannot be made.
std::string recordings_folder();
// <XDG config home>/sparsescope, made if missing. Throws Error when it cannot be made.
std::string settings_folder();
// "<experiment>-<date>-<time>-<4 hex>.h5", UTC; does not exist in `folder` at the time of asking.
std::string new_recording_path(const std::string& folder, const std::string& experiment);

}  // namespace sparsescope::app
