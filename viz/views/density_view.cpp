#include "viz/views/density_view.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/views/settings.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr double kLeastLevel = 0, kMostLevel = 99.9;  // percent; nothing is above 100 %

}  // namespace

Applies DensityView::applies(const Run& run) const {
  if (run.track("density") != nullptr) return {};
  return {false, "This model reads all of the past. The spark presets record the channel 'density'"};
}

namespace {
constexpr std::array<const char*, 4> kParts = {"direct", "inherited", "fallback", "scope"};
}  // namespace

bool DensityView::draw_settings(ViewContext& context) {
  bool changed = choose_time_axis(context);
  changed |= ui::toggle("Expected from counts", settings_.show_expected);
  changed |= choose_layers(settings_.layers, layers_shown(context, "density"));
  changed |= ui::toggle("A line each layer, and where it first passes the level", settings_.show_layers);
  int part = static_cast<int>(settings_.part);
  if (ui::segmented("part", kParts, part)) {
    settings_.part = static_cast<DensityPart>(part);
    changed = true;
  }
  changed |= ui::slider("level", settings_.level_percent, kLeastLevel, kMostLevel, ui::Steps::Linear, 160,
                        "level " + format_number(settings_.level_percent, 3) + " %");
  return changed;
}

std::span<const char* const> DensityView::choices(std::string_view setting) const {
  return setting == "part" ? std::span<const char* const>(kParts) : std::span<const char* const>();
}

nlohmann::json DensityView::settings() const {
  nlohmann::json json = {{"expected_density", settings_.show_expected},
                         {"by_layer", settings_.show_layers},
                         {"part", label_of(settings_.part)},
                         {"level_percent", settings_.level_percent}};
  put(json, settings_.layers);
  return json;
}

void DensityView::set_settings(const nlohmann::json& settings) {
  take(settings, settings_);
  forget();
}

void DensityView::draw_menu(ViewContext& context) {
  PictureView::draw_menu(context);
  const bool possible =
      context.run_command && context.why_disabled && context.why_disabled("timeline.next_crossing").empty();
  if (ImGui::MenuItem("Go to the next first crossing", "X", false, possible))
    context.run_command("timeline.next_crossing");
}

void take(const nlohmann::json& json, DensitySettings& settings) {
  take_switches(json, {{"expected_density", &settings.show_expected}, {"by_layer", &settings.show_layers}});
  take(json, settings.layers);
  if (!json.is_object()) return;
  if (const auto it = json.find("level_percent"); it != json.end() && it->is_number())
    settings.level_percent = std::clamp(it->get<double>(), kLeastLevel, kMostLevel);
  const auto part = json.find("part");
  if (part == json.end() || !part->is_string()) return;
  for (const DensityPart one :
       {DensityPart::Direct, DensityPart::Inherited, DensityPart::Fallback, DensityPart::Scope}) {
    if (part->get<std::string>() == label_of(one)) settings.part = one;
  }
}

}  // namespace sparsescope::viz
