// A step operation by operation, on any device.
#include <chrono>

#include "engine/evaluate/logits.h"
#include "engine/train/step.h"

namespace sparsescope::train {
namespace {

// Milliseconds since the last call, with the device idle at both ends.
class Stopwatch {
 public:
  explicit Stopwatch(at::Device device) : device_(device), last_(Clock::now()) {}
  double lap_ms() {
    synchronize(device_);
    const Clock::time_point now = Clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return ms;
  }

 private:
  using Clock = std::chrono::steady_clock;
  at::Device device_;
  Clock::time_point last_;
};

class EagerStep : public Step {
 public:
  EagerStep(StepBody& body, const DeviceSetup& setup, std::int64_t batch, std::int64_t context)
      : body_(body), device_(setup.device), batch_(batch), context_(context) {}

  void begin(const std::vector<std::int32_t>& batch) override {
    Stopwatch watch(device_);
    const at::Tensor ids = evaluate::ids_tensor(batch, batch_, context_ + 1, device_);
    times_ = {};
    times_.data_ms = watch.lap_ms();
    numbers_ = body_.run(ids, StepBody::Terms::Weighted, [&](StepBody::Phase phase) {
      double& ms = phase == StepBody::Phase::Forward    ? times_.forward_ms
                   : phase == StepBody::Phase::Backward ? times_.backward_ms
                                                        : times_.optimizer_ms;
      ms = watch.lap_ms();
    });
  }

  StepReport finish() override {
    const at::Tensor host = numbers_.to(at::kCPU).contiguous();
    StepReport report = body_.report(host.const_data_ptr<double>());
    report.data_ms = times_.data_ms;
    report.forward_ms = times_.forward_ms;
    report.backward_ms = times_.backward_ms;
    report.optimizer_ms = times_.optimizer_ms;
    report.total_ms = times_.data_ms + times_.forward_ms + times_.backward_ms + times_.optimizer_ms;
    return report;
  }

 private:
  StepBody& body_;
  at::Device device_;
  std::int64_t batch_, context_;
  StepReport times_;
  at::Tensor numbers_;
};

}  // namespace

std::unique_ptr<Step> make_eager_step(StepBody& body, const DeviceSetup& setup, std::int64_t batch,
                                      std::int64_t context) {
  return std::make_unique<EagerStep>(body, setup, batch, context);
}

}  // namespace sparsescope::train
