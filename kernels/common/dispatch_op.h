// From a tensor to the side that computes: a kernel on its stream, or the reference on the host. For adapters
// (*_op.cpp).
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/trace/error.h"
#include "kernels/common/bfloat16.h"
#include "kernels/common/stream.h"

#ifdef SPARSESCOPE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace sparsescope::kernels {

// Calls on_gpu(stream) with the current stream of the tensor's device, or on_cpu().
template <typename OnGpu, typename OnCpu>
void dispatch(const at::Tensor& tensor, [[maybe_unused]] OnGpu&& on_gpu, OnCpu&& on_cpu) {
#ifdef SPARSESCOPE_CUDA
  if (tensor.is_cuda()) {
    const c10::cuda::CUDAGuard guard(tensor.device());
    on_gpu(c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream());
    return;
  }
#endif
  check(tensor.is_cpu(), "a kernel wants tensors on the CPU or on a CUDA device");
  on_cpu();
}

// Data of a contiguous tensor of the kernel's element type, or null for an undefined one.
template <typename T>
T* data_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  check(tensor.is_contiguous(), "a kernel wants contiguous tensors");
  return tensor.data_ptr<T>();
}
template <>
inline Bfloat16* data_of<Bfloat16>(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  check(tensor.is_contiguous() && tensor.scalar_type() == at::kBFloat16,
        "a kernel wants contiguous bf16 tensors");
  return static_cast<Bfloat16*>(tensor.data_ptr());
}

}  // namespace sparsescope::kernels
