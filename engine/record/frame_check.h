// Whether a frame is what its run's schema promises. A frame that is not is a bug of its producer.
#pragma once

#include "engine/trace/frame.h"

namespace sparsescope::record {

// Throws std::logic_error naming the channel: ids that do not rise, presence that differs from the data, a
// row of the wrong size, set padding bits, a text that is not UTF-8, a frame above 256 MiB.
void check_frame_fits(const trace::Frame& frame, const trace::Schema& schema);

}  // namespace sparsescope::record
