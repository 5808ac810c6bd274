#include "viz/views/settings.h"

#include <algorithm>
#include <array>

#include "viz/model/format.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr double kSmallestWindow = 2, kLargestWindow = 500;  // of smoothing, in samples

}  // namespace

bool choose_time_axis(ViewContext& context) {
  constexpr std::array<const char*, 4> kNames = {"step", "tokens", "wall time", "relative step"};
  constexpr std::array<const char*, 4> kCommands = {"timeline.by_step", "timeline.by_tokens",
                                                    "timeline.by_wall_time", "timeline.by_relative_step"};
  TimeWindow& window = context.timeline.window();
  ui::muted("Time axis");
  int index = static_cast<int>(window.axis());
  if (!ui::segmented("time axis", kNames, index)) return false;
  if (context.run_command) {
    context.run_command(kCommands[static_cast<std::size_t>(index)]);
  } else {
    window.set_axis(static_cast<TimeAxis>(index));
  }
  return true;
}

bool choose_smoothing(Smoothing& smoothing) {
  bool changed = ui::toggle("Smooth over", smoothing.is_on);
  if (!smoothing.is_on) return changed;
  changed |= ui::slider("smoothing window", smoothing.window, kSmallestWindow, kLargestWindow,
                        ui::Steps::Logarithmic, 160, format_number(smoothing.window, 3) + " samples");
  return changed;
}

bool choose_layers(LayerSpan& span, std::int64_t layers) {
  if (layers < 2) return false;
  const LayerSpan shown = cut_span(span, layers);
  double first = static_cast<double>(shown.first), last = static_cast<double>(shown.last);
  ui::muted("Mean over layers");
  bool changed = ui::slider("first layer", first, 0, static_cast<double>(layers - 1), ui::Steps::Linear, 160,
                            "from " + std::to_string(shown.first));
  changed |= ui::slider("last layer", last, 0, static_cast<double>(layers - 1), ui::Steps::Linear, 160,
                        "to " + std::to_string(shown.last));
  if (!changed) return false;
  span.first = static_cast<std::int64_t>(first + 0.5);
  span.last = std::max(span.first, static_cast<std::int64_t>(last + 0.5));
  return true;
}

std::int64_t layers_shown(const ViewContext& context, const char* channel) {
  const Run* run = context.timeline.current(context.selection.run);
  const Track* track = run != nullptr ? run->track(channel) : nullptr;
  return track != nullptr ? layers_of(*run, *track) : 0;
}

void take_switches(const nlohmann::json& settings, Switches switches) {
  if (!settings.is_object()) return;
  for (const auto& [name, value] : switches) {
    if (const auto it = settings.find(name); it != settings.end() && it->is_boolean())
      *value = it->get<bool>();
  }
}

void put(nlohmann::json& settings, const Smoothing& smoothing) {
  settings["smoothing"] = smoothing.is_on;
  settings["smoothing_window"] = smoothing.window;
}

void take(const nlohmann::json& settings, Smoothing& smoothing) {
  take_switches(settings, {{"smoothing", &smoothing.is_on}});
  if (!settings.is_object()) return;
  if (const auto it = settings.find("smoothing_window"); it != settings.end() && it->is_number())
    smoothing.window = std::clamp(it->get<double>(), kSmallestWindow, kLargestWindow);
}

void put(nlohmann::json& settings, const LayerSpan& span) {
  settings["first_layer"] = span.first;
  settings["last_layer"] = span.last;
}

void take(const nlohmann::json& settings, LayerSpan& span) {
  if (!settings.is_object()) return;
  const auto take_layer = [&](const char* name, std::int64_t least, std::int64_t& layer) {
    if (const auto it = settings.find(name); it != settings.end() && it->is_number_integer())
      layer = std::max(least, it->get<std::int64_t>());
  };
  take_layer("first_layer", 0, span.first);
  take_layer("last_layer", -1, span.last);
}

}  // namespace sparsescope::viz
