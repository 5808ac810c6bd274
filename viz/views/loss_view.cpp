#include "viz/views/loss_view.h"

#include "viz/widgets/controls.h"

namespace sparsescope::viz {

Applies LossView::applies(const Run& run) const {
  if (run.track("scalars") != nullptr) return {};
  return {false, "This run records no scalars; every training preset does"};
}

Picture LossView::query(const QueryFrame& frame) const {
  LossSettings settings = settings_;
  settings.smoothing = shared_->smoothing;
  return loss_query(frame, settings);
}

bool LossView::draw_settings(ViewContext& context) {
  bool changed = choose_time_axis(context);
  changed |= choose_smoothing(shared_->smoothing);
  changed |= ui::toggle("Seeds as median and band", settings_.groups_seeds);
  changed |= ui::toggle("Logarithmic loss axis", settings_.is_loss_logarithmic);
  changed |= ui::toggle("Perplexity", settings_.show_perplexity);
  changed |= ui::toggle("Gradient norm", settings_.show_gradient);
  changed |= ui::toggle("Learning rate", settings_.show_learning_rate);
  changed |= ui::toggle("Throughput", settings_.show_throughput);
  changed |= ui::toggle("Step time by part", settings_.show_time_split);
  changed |= ui::toggle("Memory", settings_.show_memory);
  return changed;
}

nlohmann::json LossView::settings() const {
  nlohmann::json json = {{"logarithmic_loss_axis", settings_.is_loss_logarithmic},
                         {"seeds_together", settings_.groups_seeds},
                         {"perplexity", settings_.show_perplexity},
                         {"gradient_norm", settings_.show_gradient},
                         {"learning_rate", settings_.show_learning_rate},
                         {"throughput", settings_.show_throughput},
                         {"step_time_by_part", settings_.show_time_split},
                         {"memory", settings_.show_memory}};
  put(json, shared_->smoothing);
  return json;
}

void LossView::set_settings(const nlohmann::json& settings) {
  take_switches(settings, {{"logarithmic_loss_axis", &settings_.is_loss_logarithmic},
                           {"seeds_together", &settings_.groups_seeds},
                           {"perplexity", &settings_.show_perplexity},
                           {"gradient_norm", &settings_.show_gradient},
                           {"learning_rate", &settings_.show_learning_rate},
                           {"throughput", &settings_.show_throughput},
                           {"step_time_by_part", &settings_.show_time_split},
                           {"memory", &settings_.show_memory}});
  take(settings, shared_->smoothing);
  forget();
}

}  // namespace sparsescope::viz
