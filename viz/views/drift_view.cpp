#include "viz/views/drift_view.h"

#include "viz/widgets/controls.h"

namespace sparsescope::viz {

Applies DriftView::applies(const Run& run) const {
  if (run.track("threshold") != nullptr) return {};
  return {false, "No threshold in this model. The spark presets record the channel 'threshold'"};
}

Picture DriftView::query(const QueryFrame& frame) const {
  DriftSettings settings = settings_;
  settings.smoothing = shared_->smoothing;
  return drift_query(frame, settings);
}

bool DriftView::draw_settings(ViewContext& context) {
  bool changed = choose_time_axis(context.timeline.window());
  changed |= choose_smoothing(shared_->smoothing);
  changed |= ui::toggle("θ in the unit of the scores", settings_.show_theta);
  changed |= ui::toggle("Density by reason", settings_.show_density);
  changed |= ui::toggle("Density expected from counts", settings_.density.show_expected);
  changed |= ui::toggle("Empty rows", settings_.show_empty_rows);
  changed |= ui::toggle("Loss", settings_.show_loss);
  changed |= choose_layers(settings_.density.layers, layers_shown(context, "density"));
  return changed;
}

nlohmann::json DriftView::settings() const {
  nlohmann::json json = {{"theta", settings_.show_theta},
                         {"density", settings_.show_density},
                         {"expected_density", settings_.density.show_expected},
                         {"empty_rows", settings_.show_empty_rows},
                         {"loss", settings_.show_loss}};
  put(json, shared_->smoothing);
  put(json, settings_.density.layers);
  return json;
}

void DriftView::set_settings(const nlohmann::json& settings) {
  take_switches(settings, {{"theta", &settings_.show_theta},
                           {"density", &settings_.show_density},
                           {"expected_density", &settings_.density.show_expected},
                           {"empty_rows", &settings_.show_empty_rows},
                           {"loss", &settings_.show_loss}});
  take(settings, shared_->smoothing);
  take(settings, settings_.density.layers);
  forget();
}

}  // namespace sparsescope::viz
