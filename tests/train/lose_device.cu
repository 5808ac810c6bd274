// An error that takes the context of the GPU with it.
#include <cuda_runtime.h>

namespace sparsescope::train {
namespace {

__global__ void write_to(int* place) { *place = 1; }

}  // namespace

void write_through_a_null_pointer() { write_to<<<1, 1>>>(nullptr); }

}  // namespace sparsescope::train
