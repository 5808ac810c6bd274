#include "engine/model/device_graph.h"

#include "engine/trace/error.h"

#ifdef SPARSESCOPE_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAStream.h>

namespace sparsescope::model {

struct DeviceGraph::Graph {
  at::cuda::CUDAGraph graph;
};

GraphPool make_graph_pool() { return at::cuda::graph_pool_handle(); }

DeviceGraph::DeviceGraph(const std::string& what, GraphPool pool, const std::function<void()>& work)
    : graph_(std::make_unique<Graph>()) {
  check(c10::cuda::getCurrentCUDAStream() != c10::cuda::getDefaultCUDAStream(),
        "work is captured on a stream of its own");
  try {
    graph_->graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    work();
    graph_->graph.capture_end();
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    const std::string words = error.what_without_backtrace();
    throw Error(what + " could not be captured as a graph: " + words.substr(0, words.find('\n')) +
                "; train.capture = false runs it operation by operation");
  }
}

void DeviceGraph::replay() { graph_->graph.replay(); }

}  // namespace sparsescope::model
#else
namespace sparsescope::model {
namespace {
constexpr const char* kWords =
    "this build has no GPU code; build with SPARSESCOPE_CUDA=ON, or train with --device cpu";
}  // namespace

struct DeviceGraph::Graph {};
GraphPool make_graph_pool() { throw Error(kWords); }
DeviceGraph::DeviceGraph(const std::string&, GraphPool, const std::function<void()>&) { throw Error(kWords); }
void DeviceGraph::replay() { throw Error(kWords); }

}  // namespace sparsescope::model
#endif

namespace sparsescope::model {
DeviceGraph::~DeviceGraph() = default;
}  // namespace sparsescope::model
