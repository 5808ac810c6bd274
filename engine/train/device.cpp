#include "engine/train/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <unistd.h>

#ifdef SPARSESCOPE_CUDA
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#endif

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/trace/error.h"

namespace sparsescope::train {

namespace {

// Must stand before the first CUDA call; without it the results of cuBLAS differ from run to run.
void fix_cublas_workspace() {
  [[maybe_unused]] static const int once = ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/1);
}

#ifdef SPARSESCOPE_CUDA
std::atomic<bool> is_device_lost = false;

std::string no_device_words(cudaError_t error) {
  if (error == cudaSuccess || error == cudaErrorNoDevice) return "this machine has no CUDA GPU, or hides it";
  if (error == cudaErrorInsufficientDriver)
    return "this machine has no NVIDIA driver, or one too old for CUDA 13";
  return std::string("CUDA says: ") + cudaGetErrorString(error);
}
#endif

}  // namespace

CudaAnswer cuda_answer() {
  fix_cublas_workspace();
  CudaAnswer answer;
#ifdef SPARSESCOPE_CUDA
  if (is_device_lost) {
    answer.reason = "the GPU was lost earlier in this program, which has to be started anew";
    return answer;
  }
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    answer.reason = no_device_words(error);
    return answer;
  }
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess) {
    answer.reason = "the CUDA device does not answer";
    return answer;
  }
  answer.name = properties.name;
  if (!at::globalContext().hasCUDA()) {
    answer.reason = "LibTorch sees no CUDA device although there is " + answer.name;
    return answer;
  }
  answer.available = true;
#else
  answer.reason = "this program was built without its GPU path";
#endif
  return answer;
}

Device resolve_device(Device device) {
  if (device == Device::Cpu) return device;
  const CudaAnswer answer = cuda_answer();
  if (answer.available) return Device::Cuda;
  if (device == Device::Auto) return Device::Cpu;
  throw Error("training on a GPU is not possible: " + answer.reason + "; use --device cpu");
}

DeviceSetup set_up_device(Device device, std::int64_t threads) {
  fix_cublas_workspace();
  DeviceSetup setup;
  const bool on_gpu = resolve_device(device) == Device::Cuda;
  const unsigned available = std::max(1u, std::thread::hardware_concurrency());
  setup.threads = threads > 0 ? static_cast<int>(threads) : static_cast<int>(available);
  at::set_num_threads(setup.threads);
  at::Context& context = at::globalContext();
  context.setFloat32MatmulPrecision("highest");
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);  // poisoning every fresh tensor is for hunting bugs
  if (on_gpu) {
    setup.device = at::Device(at::kCUDA, 0);
    setup.gpu = cuda_answer().name;
    setup.words = setup.gpu;
#ifdef SPARSESCOPE_CUDA
    // Work of this thread goes to a stream of its own, so that it can be captured.
    c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool());
#endif
  } else {
    setup.words = "CPU, " + std::to_string(setup.threads) + (setup.threads == 1 ? " thread" : " threads");
  }
  return setup;
}

void synchronize(at::Device device) {
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

std::string lost_device_words([[maybe_unused]] at::Device device) {
#ifdef SPARSESCOPE_CUDA
  if (!device.is_cuda()) return {};
  const cudaError_t error = cudaDeviceSynchronize();
  if (error == cudaSuccess) return {};
  is_device_lost = true;
  return cudaGetErrorString(error);
#else
  return {};
#endif
}

double memory_bytes(at::Device device) {
  if (device.is_cuda()) {
    const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
    return static_cast<double>(stats.allocated_bytes[0].current);
  }
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::string device_json(const DeviceSetup& setup) {
  nlohmann::ordered_json json;
  json["device"] = setup.words;
  json["gpu"] = setup.gpu.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(setup.gpu);
  json["threads"] = setup.threads;
  json["precision"] = setup.precision;
  json["step"] = setup.step;
  json["flags"] = {{"tf32", false}, {"deterministic", true}, {"cublas_workspace", ":4096:8"}};
#ifdef SPARSESCOPE_CUDA
  int driver = 0;
  if (!setup.gpu.empty() && cudaDriverGetVersion(&driver) == cudaSuccess)
    json["driver"] = std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
#endif
  return json.dump();
}

}  // namespace sparsescope::train
