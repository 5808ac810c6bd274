#include "viz/frame/attached_trainer.h"

namespace sparsescope::frame {

std::optional<viz::AttachedTrainer> attached_trainer(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr || !state.trains(*run)) return std::nullopt;
  const TrainerStatus& status = *state.trainer;
  viz::AttachedTrainer trainer;
  trainer.controls = status.controls;
  for (const EvaluationEstimate& estimate : status.evaluation_estimates)
    trainer.evaluations.push_back({estimate.context_multiple, estimate.seconds, estimate.is_measured});
  trainer.held_out_seconds = status.held_out_seconds;
  trainer.is_evaluating = status.state == TrainerStatus::State::Evaluating;
  trainer.progress_text = status.progress_text;
  trainer.progress = status.progress_fraction;
  return trainer;
}

}  // namespace sparsescope::frame
