// A second path through the backward pass, for what nothing later in it reads: gradients of weights fill the
// device while the next gradients of activations are formed.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace sparsescope::model {

// Call in a backward pass. On a GPU: queues `work` on a second stream behind what the current one holds so
// far; the end of the pass waits for it. What it reads (`kept`) stays as it is until then, and what it writes
// is read by nobody before. On a CPU: does it now. Inside a capture it becomes a branch of the graph.
void on_branch(std::vector<at::Tensor> kept, const std::function<void()>& work);

}  // namespace sparsescope::model
