// The evaluations of a run: what they read, how their results become channels and events. When they run is
// the loop's choice.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/data/task.h"
#include "engine/evaluate/logits.h"
#include "engine/train/evaluation_times.h"
#include "engine/train/run_start.h"

namespace sparsescope::train {

class Evaluations {
 public:
  // All of them outlive this object.
  Evaluations(const TrainingState& state, const data::PreparedData& data, const FixedTexts& texts)
      : state_(state), data_(data), texts_(texts) {}

  // Held-out loss, of the estimator `soft` also with the hard scope: sets `evaluation` and adds an event.
  // Throws data::Cancelled.
  void held_out_loss(FrameBuilder& frame, EventLog& events, const data::Task& task) const;
  // Needle signal at these multiples of the training context; what is not applicable or not asked for is NaN.
  // Sets `needle` and adds an event per context; tells `times` how long each took. Throws data::Cancelled,
  // with nothing set.
  void needle(FrameBuilder& frame, EventLog& events, const std::vector<std::int64_t>& multiples,
              const data::Task& task, EvaluationTimes& times) const;

 private:
  evaluate::LogitsSource logits_source(model::Gates gates = model::Gates::AsTrained) const;

  const TrainingState& state_;
  const data::PreparedData& data_;
  const FixedTexts& texts_;
};

}  // namespace sparsescope::train
