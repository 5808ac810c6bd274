// Study versions of AdamW, in the order they were tried. The times stand in adamw_ladder.cu. Every segment is
// a trained weight.
#pragma once

#include "kernels/adamw/adamw.h"

namespace sparsescope::kernels::ladder {

// One value a thread, its segment found by bisection of the table of `count` segments.
void adamw_scalar(const AdamwBuffers& buffers, int count, AdamwRule rule, const UpdateScalars& scalars,
                  Stream stream);
// Four values a thread, the segment from the map, with loads and stores that ask not to stay in the caches.
void adamw_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream);
// Eight values a thread in two packs, so that a block reads and writes 8 KiB of each buffer; the second with
// streaming loads and stores.
void adamw_two_packs(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                     Stream stream);
void adamw_two_streaming(const AdamwBuffers& buffers, AdamwRule rule, const UpdateScalars& scalars,
                         Stream stream);

}  // namespace sparsescope::kernels::ladder
