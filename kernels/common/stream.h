// The CUDA stream type without CUDA's headers, so that code built without a CUDA compiler can name it.
#pragma once

struct CUstream_st;

namespace sparsescope::kernels {
using Stream = CUstream_st*;  // cudaStream_t
}  // namespace sparsescope::kernels
