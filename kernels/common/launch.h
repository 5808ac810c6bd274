// One way to launch: grid, block, stream, a name for the error sentence. For .cu files.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/common/check.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

inline constexpr int kWarpSize = 32;

inline std::int64_t divide_up(std::int64_t count, std::int64_t by) { return (count + by - 1) / by; }

// Launches `kernel` over `blocks` x `threads` on `stream`; `what` names it in the error. No blocks, no
// launch.
template <typename... Parameters, typename... Arguments>
void launch(const char* what, void (*kernel)(Parameters...), std::int64_t blocks, int threads, Stream stream,
            Arguments... arguments) {
  if (blocks == 0) return;
  if (blocks > INT32_MAX)
    throw std::runtime_error(std::string(what) + ": " + std::to_string(blocks) +
                             " blocks are more than a grid holds");
  kernel<<<dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)), 0, stream>>>(
      arguments...);
  check_cuda(cudaGetLastError(), what);
}

}  // namespace sparsescope::kernels
