// How a step is run: operation by operation, or as one captured graph. Both run the same StepBody.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/model/device_graph.h"
#include "engine/train/device.h"
#include "engine/train/step_body.h"

namespace sparsescope::train {

class Step {
 public:
  virtual ~Step() = default;
  // Queues one step on a batch [B,T+1]; on a GPU the call returns before it has run. One at a time: finish()
  // first.
  virtual void begin(const std::vector<std::int32_t>& batch) = 0;
  // Waits for it. Times are filled in, words are not.
  virtual StepReport finish() = 0;
};

// `batch` windows of `context` + 1 ids. Everything outlives the step.
std::unique_ptr<Step> make_eager_step(StepBody& body, const DeviceSetup& setup, std::int64_t batch,
                                      std::int64_t context);
// One CUDA graph in the memory of `pool`, captured here after a trial run of forward and backward pass that
// changes nothing. Every live value is read from the device, so nothing is ever captured again. `model` must
// have its flat parameters. Throws Error when the device refuses the capture.
std::unique_ptr<Step> make_captured_step(StepBody& body, model::LanguageModel& model,
                                         const DeviceSetup& setup, model::GraphPool pool, std::int64_t batch,
                                         std::int64_t context);

}  // namespace sparsescope::train
