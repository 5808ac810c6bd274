// A step as one CUDA graph: copying a batch in, one launch, copying a few numbers out.
#include "engine/trace/error.h"
#include "engine/train/step.h"

#ifdef SPARSESCOPE_CUDA
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <optional>

#include "engine/model/device_graph.h"

namespace sparsescope::train {
namespace {

void must(cudaError_t code, const char* what) {
  if (code != cudaSuccess) throw Error(std::string(what) + ": CUDA says: " + cudaGetErrorString(code));
}

// A point of a stream whose time can be asked for.
class Event {
 public:
  Event() { must(cudaEventCreate(&event_), "an event of the step could not be made"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { must(cudaEventRecord(event_, stream), "a step could not be timed"); }
  // As a node of the graph that is being captured.
  void record_in_graph(cudaStream_t stream) {
    must(cudaEventRecordWithFlags(event_, stream, cudaEventRecordExternal), "a step could not be timed");
  }
  void wait() { must(cudaEventSynchronize(event_), "a training step failed"); }
  double ms_until(const Event& end) const {
    float ms = 0;
    must(cudaEventElapsedTime(&ms, event_, end.event_), "a step could not be timed");
    return ms;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class CapturedStep : public Step {
 public:
  CapturedStep(StepBody& body, model::LanguageModel& model, const DeviceSetup& setup, model::GraphPool pool,
               std::int64_t batch, std::int64_t context);

  void begin(const std::vector<std::int32_t>& batch) override;
  StepReport finish() override;

 private:
  void try_once(model::LanguageModel& model);
  void capture(model::GraphPool pool);
  cudaStream_t stream() const { return c10::cuda::getCurrentCUDAStream().stream(); }

  StepBody& body_;
  at::Tensor ids_;           // [B,T+1] i64 on the device
  at::Tensor host_ids_;      // the same, pinned
  at::Tensor numbers_;       // [n] f64 on the device, in the graph's memory
  at::Tensor host_numbers_;  // the same, pinned
  std::optional<model::DeviceGraph> graph_;
  Event start_, data_, forward_, backward_, end_;
};

CapturedStep::CapturedStep(StepBody& body, model::LanguageModel& model, const DeviceSetup& setup,
                           model::GraphPool pool, std::int64_t batch, std::int64_t context)
    : body_(body) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kLong);
  ids_ = at::zeros({batch, context + 1}, options.device(setup.device));
  host_ids_ = at::empty({batch, context + 1}, options.pinned_memory(true));
  host_numbers_ = at::empty({body.count()}, at::TensorOptions().dtype(at::kDouble).pinned_memory(true));
  try_once(model);
  capture(pool);
}

// Libraries choose algorithms and make their handles on first use, and tables that depend on the length alone
// are made: none of that may happen during a capture.
void CapturedStep::try_once(model::LanguageModel& model) {
  for (int i = 0; i < 2; ++i) {
    const std::int64_t T = ids_.size(1) - 1;
    const model::ForwardResult result =
        model.forward(ids_.slice(1, 0, T), {.statistics = model::Statistics::Collect,
                                            .attention = body_.attention(),
                                            .head = model::ForwardOptions::Head::Hidden,
                                            .has_all_terms = true});
    model.loss(result, ids_.slice(1, 1, T + 1)).total.backward();
  }
  model.table().flat()->gradients.zero_();
  must(cudaStreamSynchronize(stream()), "the trial of a training step failed");
}

void CapturedStep::capture(model::GraphPool pool) {
  graph_.emplace("the training step", pool, [&] {
    numbers_ = body_.run(ids_, StepBody::Terms::All, [&](StepBody::Phase phase) {
      if (phase == StepBody::Phase::Forward) forward_.record_in_graph(stream());
      if (phase == StepBody::Phase::Backward) backward_.record_in_graph(stream());
    });
  });
}

void CapturedStep::begin(const std::vector<std::int32_t>& batch) {
  check(static_cast<std::int64_t>(batch.size()) == ids_.numel(), "a batch fills the step's input");
  std::copy(batch.begin(), batch.end(), host_ids_.mutable_data_ptr<std::int64_t>());
  start_.record(stream());
  must(cudaMemcpyAsync(ids_.mutable_data_ptr(), host_ids_.const_data_ptr(), ids_.nbytes(),
                       cudaMemcpyHostToDevice, stream()),
       "a batch could not be copied to the GPU");
  data_.record(stream());
  graph_->replay();
  must(cudaMemcpyAsync(host_numbers_.mutable_data_ptr(), numbers_.const_data_ptr(), numbers_.nbytes(),
                       cudaMemcpyDeviceToHost, stream()),
       "the numbers of a step could not be copied from the GPU");
  end_.record(stream());
}

StepReport CapturedStep::finish() {
  end_.wait();
  StepReport report = body_.report(host_numbers_.const_data_ptr<double>());
  report.data_ms = start_.ms_until(data_);
  report.forward_ms = data_.ms_until(forward_);
  report.backward_ms = forward_.ms_until(backward_);
  report.optimizer_ms = backward_.ms_until(end_);
  report.total_ms = start_.ms_until(end_);
  return report;
}

}  // namespace

std::unique_ptr<Step> make_captured_step(StepBody& body, model::LanguageModel& model,
                                         const DeviceSetup& setup, model::GraphPool pool, std::int64_t batch,
                                         std::int64_t context) {
  return std::make_unique<CapturedStep>(body, model, setup, pool, batch, context);
}

}  // namespace sparsescope::train
#else
namespace sparsescope::train {
std::unique_ptr<Step> make_captured_step(StepBody&, model::LanguageModel&, const DeviceSetup&,
                                         model::GraphPool, std::int64_t, std::int64_t) {
  throw Error("this build has no GPU code; build with SPARSESCOPE_CUDA=ON, or train with --device cpu");
}
}  // namespace sparsescope::train
#endif
