// Study versions of GELU, in the order they were tried. The times stand in gelu_ladder.cu.
#pragma once

#include "kernels/gelu/gelu.h"

namespace sparsescope::kernels::ladder {

// erff and expf, one value a thread.
void gelu_backward_scalar(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                          Bfloat16* d_input, Stream stream);
// erff and expf, eight values a thread; count is a multiple of 8.
void gelu_backward_erff(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                        Bfloat16* d_input, Stream stream);
void gelu_erff(const Bfloat16* input, std::int64_t count, Bfloat16* output, Stream stream);

}  // namespace sparsescope::kernels::ladder
