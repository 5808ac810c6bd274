#include "viz/views/drift_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

constexpr double kMostSigmas = 10;  // as far as a level for θ may be moved

}  // namespace

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
  bool changed = choose_time_axis(context);
  changed |= choose_smoothing(shared_->smoothing);
  changed |= ui::toggle("θ in the unit of the scores", settings_.show_theta);
  changed |= ui::toggle("Density by reason", settings_.show_density);
  changed |= ui::toggle("Density expected from counts", settings_.density.show_expected);
  changed |= ui::toggle("Empty rows", settings_.show_empty_rows);
  changed |= ui::toggle("Loss", settings_.show_loss);
  changed |= ui::toggle("Where θ first passes a level", settings_.show_crossing);
  if (settings_.show_crossing) {
    changed |= ui::slider("level", settings_.level_sigmas, -kMostSigmas, kMostSigmas, ui::Steps::Linear, 160,
                          "level " + format_number(settings_.level_sigmas, 3) + " σ");
  }
  changed |= choose_layers(settings_.density.layers, layers_shown(context, "density"));
  return changed;
}

// Freeze, sparsity weight and the clamps as handles. What they do is recorded as events, which become flags.
void DriftView::draw_controls(ViewContext& context) {
  if (context.trainer == nullptr || !context.post || current_purpose() != Purpose::Screen) return;
  const trace::Control* freeze = context.trainer->control("threshold_freeze");
  const trace::Control* weight = context.trainer->control("sparsity_weight");
  if (freeze != nullptr) {
    bool is_frozen = freeze->value != 0;
    if (ui::toggle("Freeze θ", is_frozen)) context.post(trace::SetControl{freeze->name, is_frozen ? 1. : 0.});
    ui::tooltip(freeze->text);
    ImGui::SameLine(0, px(20));
  }
  if (weight != nullptr) {
    double value = sparsity_wish_.value_or(weight->value);
    const auto steps = weight->is_logarithmic ? ui::Steps::Logarithmic : ui::Steps::Linear;
    if (ui::slider("sparsity weight", value, weight->minimum, weight->maximum, steps, 90,
                   "sparsity " + format_number(value, 3)))
      sparsity_wish_ = value;
    ui::tooltip(weight->text);
    // Posted once it is let go, so that one move is one event.
    if (sparsity_wish_ && !ImGui::IsMouseDown(ImGuiMouseButton_Left)) {
      if (*sparsity_wish_ != weight->value) context.post(trace::SetControl{weight->name, *sparsity_wish_});
      sparsity_wish_.reset();
    }
    ImGui::SameLine(0, px(20));
  }
  if (context.trainer->control("threshold_min") != nullptr && ui::toggle("Clamps", settings_.show_theta))
    forget();
  ui::tooltip("Shows θ itself, with its lowest and highest value as lines to drag");
  ImGui::NewLine();
}

nlohmann::json DriftView::settings() const {
  nlohmann::json json = {{"theta", settings_.show_theta},
                         {"crossing", settings_.show_crossing},
                         {"level_sigmas", settings_.level_sigmas},
                         {"density", settings_.show_density},
                         {"expected_density", settings_.density.show_expected},
                         {"empty_rows", settings_.show_empty_rows},
                         {"loss", settings_.show_loss}};
  put(json, shared_->smoothing);
  put(json, settings_.density.layers);
  return json;
}

void DriftView::set_settings(const nlohmann::json& settings) {
  if (settings.is_object()) {
    if (const auto it = settings.find("level_sigmas"); it != settings.end() && it->is_number())
      settings_.level_sigmas = std::clamp(it->get<double>(), -kMostSigmas, kMostSigmas);
  }
  take_switches(settings, {{"theta", &settings_.show_theta},
                           {"crossing", &settings_.show_crossing},
                           {"density", &settings_.show_density},
                           {"expected_density", &settings_.density.show_expected},
                           {"empty_rows", &settings_.show_empty_rows},
                           {"loss", &settings_.show_loss}});
  take(settings, shared_->smoothing);
  take(settings, settings_.density.layers);
  forget();
}

}  // namespace sparsescope::viz
