#include "viz/views/settings.h"

#include <algorithm>
#include <array>

#include "viz/model/format.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {

bool choose_time_axis(TimeWindow& window) {
  constexpr std::array<const char*, 4> kNames = {"step", "tokens", "wall time", "relative step"};
  ui::muted("Time axis");
  int index = static_cast<int>(window.axis());
  if (!ui::segmented("time axis", kNames, index)) return false;
  window.set_axis(static_cast<TimeAxis>(index));
  return true;
}

bool choose_smoothing(Smoothing& smoothing) {
  bool changed = ui::toggle("Smooth over", smoothing.is_on);
  if (!smoothing.is_on) return changed;
  changed |= ui::slider("smoothing window", smoothing.window, 2, 500, ui::Steps::Logarithmic, 160,
                        format_number(smoothing.window, 3) + " samples");
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

}  // namespace sparsescope::viz
