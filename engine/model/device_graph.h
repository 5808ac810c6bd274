// Work on a GPU that is captured once and then replayed with one launch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace sparsescope::model {

// Memory that graphs share. They are replayed one after the other on one stream, and what one leaves there is
// fetched before any of them is replayed again.
using GraphPool = std::pair<unsigned long long, unsigned long long>;
// Throws Error in a build without GPU code.
GraphPool make_graph_pool();

class DeviceGraph {
 public:
  // Calls `work`, which queues operations on the current stream and waits for nothing, and keeps what it
  // queued. The stream is not the default one, and `work` has run on it before: libraries choose algorithms
  // on first use. `what` begins the sentence of an Error: "the training step". Out of memory is passed on.
  DeviceGraph(const std::string& what, GraphPool pool, const std::function<void()>& work);
  ~DeviceGraph();
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;

  // Queues it on the current stream.
  void replay();

 private:
  struct Graph;
  std::unique_ptr<Graph> graph_;
};

}  // namespace sparsescope::model
