#include "engine/model/functions/branch.h"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/graph_task.h>

#include <map>
#include <utility>

namespace sparsescope::model {
namespace {

struct Branch {
  explicit Branch(at::Device device)
      : stream(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)),
        forked(device.type()),
        ended(device.type()) {}

  c10::Stream stream;
  c10::Event forked, ended;
  std::vector<at::Tensor> kept;  // of the pass under way
  int pass = -1;                 // whose end will wait for this; one that failed has no end
};

// One backward pass at a time and device.
Branch& branch_of(at::Device device) {
  static std::map<at::DeviceIndex, Branch> branches;
  return branches.try_emplace(device.index(), device).first->second;
}

c10::Stream current_stream(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

}  // namespace

void on_branch(std::vector<at::Tensor> kept, const std::function<void()>& work) {
  const at::Device device = kept.at(0).device();
  if (!device.is_cuda()) return work();
  Branch& branch = branch_of(device);
  branch.forked.record(current_stream(device));
  branch.forked.block(branch.stream);
  {
    const c10::StreamGuard guard(branch.stream);
    work();
  }
  for (at::Tensor& tensor : kept) branch.kept.push_back(std::move(tensor));
  const int pass = torch::autograd::get_current_graph_task_id();
  if (std::exchange(branch.pass, pass) == pass) return;
  torch::autograd::Engine::get_default_engine().queue_callback([&branch, device] {
    branch.ended.record(branch.stream);
    branch.ended.block(current_stream(device));
    branch.kept.clear();
  });
}

}  // namespace sparsescope::model
