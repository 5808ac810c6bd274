// The exact GELU, x Phi(x), and its derivative. The GEMMs around it are somebody else's.
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

// output [count] = input (1 + erf(input / sqrt 2)) / 2, fp32 inside; output may be input. Throws
// std::runtime_error when the launch fails.
void gelu(const Bfloat16* input, std::int64_t count, Bfloat16* output, Stream stream);

// d_input [count] = d_output (Phi(input) + input phi(input)), fp32 inside; d_input may be d_output or input.
void gelu_backward(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count, Bfloat16* d_input,
                   Stream stream);

// The same on the host in fp64.
void gelu_reference(const Bfloat16* input, std::int64_t count, Bfloat16* output);
void gelu_backward_reference(const Bfloat16* input, const Bfloat16* d_output, std::int64_t count,
                             Bfloat16* d_input);

}  // namespace sparsescope::kernels
