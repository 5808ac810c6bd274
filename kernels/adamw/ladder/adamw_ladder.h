// Study versions of AdamW, in the order they were tried. The times stand in adamw_ladder.cu.
#pragma once

#include "kernels/adamw/adamw.h"

namespace sparsescope::kernels::ladder {

// One value a thread, its segment found by bisection of the table of `count` segments. Every segment is a
// trained weight.
void adamw_scalar(const AdamwBuffers& buffers, int count, AdamwRule rule, const UpdateScalars& scalars,
                  Stream stream);
// Four values a thread, the segment from the map, with loads and stores that ask not to stay in the caches.
// Every segment is a trained weight.
void adamw_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream);

}  // namespace sparsescope::kernels::ladder
