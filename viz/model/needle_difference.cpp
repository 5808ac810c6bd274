#include "viz/model/needle_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/needle_query.h"

namespace sparsescope::viz {
namespace {

NeedleDelta delta_of(const NeedlePicture& picture, const NeedleCell& a, const NeedleCell& b) {
  NeedleDelta delta;
  if (!a.is_evaluated() || !b.is_evaluated()) return delta;
  delta.a = shown(picture, a.signal, a.nll_without);
  delta.b = shown(picture, b.signal, b.nll_without);
  delta.standard_error = std::hypot(shown(picture, a.standard_error, a.nll_without),
                                    shown(picture, b.standard_error, b.nll_without));
  delta.trials = std::min(a.trials, b.trials);
  return delta;
}

// In the picture's unit: "+0.42 ± 0.03 nats".
std::string signed_words(const NeedlePicture& picture, const NeedleDelta& delta) {
  const auto [value, error] = shown_delta(picture, delta);
  return fmt::format("{} ± {} {}", value, error, picture.as_share ? "points of the ceiling" : "nats");
}

}  // namespace

NeedleDifference needle_difference(const NeedlePicture& picture, const NeedleRun& before) {
  NeedleDifference made;
  made.is_wanted = true;
  const NeedleRun& run = picture.runs.front();
  double largest = 0;
  for (const NeedleContext& context : run.contexts) {
    std::vector<NeedleDelta>& deltas = made.cells.emplace_back(context.cells.size());
    const auto same = std::ranges::find(before.contexts, context.label, &NeedleContext::label);
    for (std::size_t depth = 0; same != before.contexts.end() && depth < context.cells.size(); ++depth) {
      const auto there = std::ranges::find(before.depth_labels, run.depth_labels[depth]);
      if (there == before.depth_labels.end()) continue;
      const auto place = static_cast<std::size_t>(there - before.depth_labels.begin());
      deltas[depth] = delta_of(picture, same->cells[place], context.cells[depth]);
      if (deltas[depth].is_known()) largest = std::max(largest, std::abs(deltas[depth].delta()));
    }
  }
  if (largest > 0) made.limits = {-largest, largest};
  made.data_limit = largest;
  return made;
}

std::pair<std::string, std::string> shown_delta(const NeedlePicture& picture, const NeedleDelta& delta) {
  const double unit = picture.as_share ? 100 : 1;
  return rounded_to_error(unit * delta.delta(), unit * delta.standard_error);
}

std::string delta_in_words(const NeedlePicture& picture, const NeedleDelta& delta) {
  const double factor = picture.as_share ? 100 : 1;
  return fmt::format("A {}, B {}, Δ {}{}", format_signed(factor * delta.a, 3),
                     format_signed(factor * delta.b, 3), signed_words(picture, delta),
                     delta.is_beyond_error() ? "" : ", within 2 SE of 0");
}

std::string difference_in_words(const NeedlePicture& picture) {
  const NeedleDifference& difference = picture.difference;
  if (!difference.is_wanted) return {};
  if (!difference.missing.empty()) return "No difference: " + difference.missing;
  const NeedleRun& run = picture.runs.front();
  std::size_t known = 0, beyond = 0;
  const NeedleDelta* strongest = nullptr;
  std::string where;
  for (std::size_t context = 0; context < difference.cells.size(); ++context) {
    for (std::size_t depth = 0; depth < difference.cells[context].size(); ++depth) {
      const NeedleDelta& delta = difference.cells[context][depth];
      if (!delta.is_known()) continue;
      ++known;
      if (!delta.is_beyond_error()) continue;
      ++beyond;
      if (strongest != nullptr && std::abs(delta.delta()) <= std::abs(strongest->delta())) continue;
      strongest = &delta;
      where = fmt::format("{}, depth {}", run.contexts[context].label, run.depth_labels[depth]);
    }
  }
  std::string words = fmt::format("{} − {}: ", difference.b, difference.a);
  if (known == 0) return words + "no cell evaluated in both";
  if (strongest == nullptr)
    return words +
           fmt::format("all {} cells within 2 SE of 0", format_count(static_cast<std::int64_t>(known)));
  return words + fmt::format("{} of {} cells beyond 2 SE, the strongest {} at {}",
                             format_count(static_cast<std::int64_t>(beyond)),
                             format_count(static_cast<std::int64_t>(known)),
                             signed_words(picture, *strongest), where);
}

}  // namespace sparsescope::viz
