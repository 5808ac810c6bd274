// What a person sets of the routing graph: the popover, and the same as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/views/routing_view.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr const char* kLayoutNames[] = {"one layer", "all layers"};
constexpr const char* kShownNames[] = {"all", "direct", "inherited", "fallback", "self"};
constexpr const char* kDetailNames[] = {"by zoom", "tokens", "16", "64"};
constexpr const char* kSourceNames[] = {"latest probe", "latest weights"};
constexpr const char* kAgainstNames[] = {"nothing", "a step", "pinned baseline"};

template <typename Choice>
bool choose(const char* id, std::span<const char* const> names, Choice& choice) {
  int index = static_cast<int>(choice);
  if (!ui::segmented(id, names, index)) return false;
  choice = static_cast<Choice>(index);
  return true;
}

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

}  // namespace

bool RoutingView::draw_settings(ViewContext& context) {
  ui::muted("Layers");
  bool changed = choose("layout", kLayoutNames, settings_.layout);
  if (has_picture() && picture().layers > 1 && settings_.layout == RoutingLayout::Arcs) {
    ui::muted(context.selection.locked.layer ? "Layer, locked: Esc releases it" : "Layer");
    double layer = static_cast<double>(picture().layer);
    if (ui::slider("layer", layer, 0, static_cast<double>(picture().layers - 1), ui::Steps::Linear, 160,
                   std::to_string(picture().layer))) {
      settings_.layer = static_cast<std::int64_t>(layer + 0.5);
      if (context.selection.locked.layer) context.selection.locked.layer = settings_.layer;
      changed = true;
    }
  }
  ui::muted("Reasons");
  changed |= choose("shown", kShownNames, settings_.shown);
  ui::muted("Blocks of tokens");
  changed |= choose("detail", kDetailNames, settings_.detail);
  ui::muted("Hide edges of less attention weight");
  changed |= draw_threshold(160);
  changed |= ui::toggle("renormalise what is left", settings_.renormalise);
  ui::muted("Step shown");
  changed |= choose("source", kSourceNames, settings_.source);
  return draw_comparison_settings(context) || changed;
}

bool RoutingView::draw_comparison_settings(const ViewContext& context) {
  ui::muted("Difference to");
  RoutingAgainst against = settings_.against;
  bool changed = false;
  if (choose("against", kAgainstNames, against)) {
    const bool is_possible = against != RoutingAgainst::Baseline || !has_picture() ||
                             picture().no_baseline.empty() || pick_second_run(context);
    if (is_possible) {
      if (against == RoutingAgainst::Step && settings_.against_step == 0 && has_picture())
        settings_.against_step = picture().step;
      settings_.against = against;
      changed = true;
    }
  }
  if (!has_picture()) return changed;
  if (!picture().no_baseline.empty()) ui::muted(picture().no_baseline);
  offer_second_run(context);
  if (settings_.against != RoutingAgainst::Step) return changed;
  const auto last =
      static_cast<double>(std::max<std::uint64_t>(1, std::max(picture().newest_step, picture().step)));
  double step = static_cast<double>(settings_.against_step);
  if (ui::slider("against step", step, 0, last, ui::Steps::Linear, 160,
                 "step " + step_text(settings_.against_step))) {
    settings_.against_step = static_cast<std::uint64_t>(step + 0.5);
    changed = true;
  }
  if (ImGui::SmallButton("The step at the cursor")) {
    settings_.against_step = picture().cursor_step;
    changed = true;
  }
  return changed;
}

std::span<const char* const> RoutingView::choices(std::string_view setting) const {
  if (setting == "layout") return kLayoutNames;
  if (setting == "source") return kSourceNames;
  if (setting == "detail") return kDetailNames;
  if (setting == "shown") return kShownNames;
  if (setting == "against") return kAgainstNames;
  return {};
}

nlohmann::json RoutingView::settings() const {
  nlohmann::json json = {{"layout", static_cast<int>(settings_.layout)},
                         {"source", static_cast<int>(settings_.source)},
                         {"detail", static_cast<int>(settings_.detail)},
                         {"shown", static_cast<int>(settings_.shown)},
                         {"against", static_cast<int>(settings_.against)},
                         {"against_step", settings_.against_step},
                         {"layer", settings_.layer},
                         {"threshold", settings_.threshold},
                         {"renormalise", settings_.renormalise}};
  if (!camera_.follows) json["camera"] = {camera_.shown.minimum, camera_.shown.maximum};
  return json;
}

void RoutingView::set_settings(const nlohmann::json& json) {
  if (!json.is_object()) return;
  const auto number = [&](const char* name, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return otherwise;
    const auto value = found->get<std::int64_t>();
    return value >= least && value <= most ? value : otherwise;
  };
  const auto choice = [&](const char* name, int count, auto& value) {
    using Choice = std::remove_reference_t<decltype(value)>;
    value = static_cast<Choice>(number(name, 0, count - 1, static_cast<int>(value)));
  };
  choice("layout", 2, settings_.layout);
  choice("source", 2, settings_.source);
  choice("detail", 4, settings_.detail);
  choice("shown", 5, settings_.shown);
  choice("against", 3, settings_.against);
  settings_.layer = number("layer", -1, 1 << 20, settings_.layer);
  settings_.against_step = static_cast<std::uint64_t>(
      number("against_step", 0, std::int64_t{1} << 53, static_cast<std::int64_t>(settings_.against_step)));
  if (const auto found = json.find("threshold"); found != json.end() && found->is_number()) {
    const double value = found->get<double>();
    if (value >= 0 && value <= kLargestThreshold) settings_.threshold = value;
  }
  if (const auto found = json.find("renormalise"); found != json.end() && found->is_boolean())
    settings_.renormalise = found->get<bool>();
  const auto camera = json.find("camera");
  camera_ = {};
  if (camera != json.end() && camera->is_array() && camera->size() == 2 && (*camera)[0].is_number() &&
      (*camera)[1].is_number()) {
    const Range shown{(*camera)[0].get<double>(), (*camera)[1].get<double>()};
    if (shown.width() > 0) camera_ = {shown, false};
  }
  forget();
}

}  // namespace sparsescope::viz
