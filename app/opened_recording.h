// A recording as a run of the timeline: its reader, its mailbox, and the order in which they go.
#pragma once

#include <memory>
#include <string>

#include "engine/record/reader_client.h"
#include "engine/trace/mailbox.h"
#include "viz/model/timeline.h"

namespace sparsescope::app {

// Starts reading `path` in the background. Throws Error at once for what cannot be opened.
viz::Feed feed_of_recording(const std::string& path);

// "<folder>/name.notes.json" for "<folder>/name.h5": what a person says about its runs (app/sidecar.h).
std::string sidecar_path(const std::string& recording);

// Adds the recording as a run under the name that its notes give it, and waits until its whole light history
// is read: for programs without a window. Throws Error as above, and (Refused) when it has no schema.
viz::Run& load_recording(viz::Timeline& timeline, const std::string& path);

}  // namespace sparsescope::app
