// Turns a CUDA error code into an exception. For .cu files.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace sparsescope::kernels {

// Throws std::runtime_error: what was tried and what CUDA says.
inline void check_cuda(cudaError_t code, const char* what) {
  if (code != cudaSuccess) {
    throw std::runtime_error(std::string(what) + " failed on the GPU: " + cudaGetErrorString(code));
  }
}

}  // namespace sparsescope::kernels
