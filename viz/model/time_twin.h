// The text twin of the timeline: what is shown of which run, and every mark on it as a row.
#pragma once

#include "viz/model/annotations.h"
#include "viz/model/timeline.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

// Bookmarks, notes, events and missing spans that lie in what is shown, by rising step. `annotations` may be
// null.
Twin twin_of_time(const Timeline& timeline, const Run& run, const Annotations* annotations);

}  // namespace sparsescope::viz
