#include "viz/views/density_view.h"

#include "viz/views/settings.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {

Applies DensityView::applies(const Run& run) const {
  if (run.track("density") != nullptr) return {};
  return {false, "This model reads all of the past. The spark presets record the channel 'density'"};
}

bool DensityView::draw_settings(ViewContext& context) {
  bool changed = choose_time_axis(context);
  changed |= ui::toggle("Expected from counts", settings_.show_expected);
  changed |= choose_layers(settings_.layers, layers_shown(context, "density"));
  return changed;
}

nlohmann::json DensityView::settings() const {
  nlohmann::json json = {{"expected_density", settings_.show_expected}};
  put(json, settings_.layers);
  return json;
}

void DensityView::set_settings(const nlohmann::json& settings) {
  take_switches(settings, {{"expected_density", &settings_.show_expected}});
  take(settings, settings_.layers);
  forget();
}

}  // namespace sparsescope::viz
