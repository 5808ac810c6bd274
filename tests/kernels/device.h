// What tests and measurements of kernels on a GPU share: arrays on the device, a captured graph, the time of
// a launch inside one. No test framework here.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/common/check.h"
#include "kernels/common/stream.h"

namespace sparsescope::kernels {

// `count` values on the device; made from nothing they are all ones in every bit: a NaN in every float type,
// -1 in every integer.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    check_cuda(cudaMalloc(&data_, std::max<std::size_t>(1, count * sizeof(T))), "an allocation of the test");
    check_cuda(cudaMemset(data_, 0xff, count * sizeof(T)), "a fill of the test");
    check_cuda(cudaDeviceSynchronize(), "a fill of the test");
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) { set(host); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  T* get() { return static_cast<T*>(data_); }
  std::size_t size() const { return count_; }
  // Returns when the values are there, also for streams that do not wait for the default one.
  void set(const std::vector<T>& host) {
    check_cuda(cudaMemcpy(data_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice),
               "a copy of the test");
    check_cuda(cudaDeviceSynchronize(), "a copy of the test");
  }
  // Waits for everything before it.
  std::vector<T> fetch() const {
    std::vector<T> host(count_);
    check_cuda(cudaMemcpy(host.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost),
               "a copy of the test");
    return host;
  }

 private:
  std::size_t count_;
  void* data_ = nullptr;
};

// A stream of its own, because the default stream cannot be captured.
class TestStream {
 public:
  TestStream() {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream of the test");
  }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;
  ~TestStream() { cudaStreamDestroy(stream_); }
  operator Stream() const { return stream_; }
  void wait() const { check_cuda(cudaStreamSynchronize(stream_), "the kernels of the test"); }

 private:
  cudaStream_t stream_ = nullptr;
};

// What launch(stream, 0), launch(stream, 1) .. launch(stream, count-1) put on a stream, captured once.
class TestGraph {
 public:
  template <typename Launch>
  TestGraph(Stream stream, int count, Launch&& launch) : stream_(stream) {
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "a capture of the test");
    for (int i = 0; i < count; ++i) launch(stream, i);
    check_cuda(cudaStreamEndCapture(stream, &graph_), "a capture of the test");
    check_cuda(cudaGraphInstantiate(&executable_, graph_, 0), "a graph of the test");
  }
  TestGraph(const TestGraph&) = delete;
  TestGraph& operator=(const TestGraph&) = delete;
  ~TestGraph() {
    cudaGraphExecDestroy(executable_);
    cudaGraphDestroy(graph_);
  }
  void replay() const { check_cuda(cudaGraphLaunch(executable_, stream_), "a graph of the test"); }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

// Microseconds of one launch(stream, i) on an idle GPU: 50 of them in a graph, the median of 5 replays. Let
// launch rotate over data larger than the L2 cache by i, or it is the cache that is measured.
template <typename Launch>
double microseconds(Launch&& launch) {
  constexpr int kLaunches = 50, kReplays = 5;
  TestStream stream;
  const TestGraph graph(stream, kLaunches, launch);
  cudaEvent_t begin = nullptr, end = nullptr;
  check_cuda(cudaEventCreate(&begin), "an event of the test");
  check_cuda(cudaEventCreate(&end), "an event of the test");
  graph.replay();
  std::vector<double> times;
  for (int replay = 0; replay < kReplays; ++replay) {
    check_cuda(cudaEventRecord(begin, stream), "an event of the test");
    graph.replay();
    check_cuda(cudaEventRecord(end, stream), "an event of the test");
    stream.wait();
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "an event of the test");
    times.push_back(milliseconds * 1e3 / kLaunches);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return times[kReplays / 2];
}

}  // namespace sparsescope::kernels
