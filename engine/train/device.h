// Where a run computes: choosing the device, making it repeatable, naming it, measuring its memory.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "engine/train/trainer.h"

namespace sparsescope::train {

struct DeviceSetup {
  at::Device device = at::kCPU;
  int threads = 1;                              // CPU threads of torch
  std::string words;                            // "CPU, 2 threads", "NVIDIA H200"
  std::string gpu;                              // name, or empty
  std::string precision = "fp32";               // of matrix products
  std::string step = "operation by operation";  // how a training step runs
};

// Sets thread count, fp32 without TF32, deterministic algorithms and a fixed cuBLAS workspace, for this
// thread and process. `threads` 0: all. Call before the first CUDA call. Throws Error for Device::Cuda where
// it cannot work.
DeviceSetup set_up_device(Device device, std::int64_t threads);

// Everything queued on the device is done when this returns. Nothing to do on the CPU.
void synchronize(at::Device device);

// What CUDA says when the device's context is lost: an error after which nothing on it works, and nothing in
// this process can undo that. Empty: the device answers, or there is none. Waits for what is queued. Once
// lost, cuda_answer() says so, and what lives on the device must not be destroyed.
std::string lost_device_words(at::Device device);

// Bytes in use: allocated by torch on a GPU, resident in this process on a CPU.
double memory_bytes(at::Device device);

// The schema's device and build objects: no host names, no paths.
std::string device_json(const DeviceSetup& setup);
std::string build_json();

}  // namespace sparsescope::train
