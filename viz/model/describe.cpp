#include "viz/model/describe.h"

#include "engine/trace/error.h"
#include "viz/model/comparison.h"
#include "viz/model/declaration_query.h"
#include "viz/model/needle_query.h"
#include "viz/model/query.h"
#include "viz/model/routing_query.h"
#include "viz/model/text_sample.h"
#include "viz/model/token_query.h"

namespace sparsescope::viz {
namespace {

struct Describer {
  const char* view;
  Description (*describe)(const QueryFrame& frame);
};

// What compares runs only when it is asked to.
void compare(RoutingSettings& settings) { settings.against = RoutingAgainst::Baseline; }
void compare(DeclarationSettings& settings) { settings.against = DeclarationAgainst::Baseline; }
void compare(NeedleSettings& settings) { settings.show_difference = true; }
template <typename Settings>
void compare(Settings&) {}

// Why it shows no difference although there is a baseline.
std::string why_no_difference(const RoutingPicture& picture) { return picture.no_baseline; }
std::string why_no_difference(const DeclarationPicture& picture) { return picture.no_baseline; }
std::string why_no_difference(const NeedlePicture& picture) { return picture.difference.missing; }
std::string why_no_difference(const Picture&) { return {}; }

template <auto query, typename Settings>
Description described(const QueryFrame& frame) {
  Settings settings;
  const bool has_baseline = baseline_run(frame) != nullptr;
  if (has_baseline) compare(settings);
  const auto picture = query(frame, settings);
  return {picture.state, twin_of(picture), has_baseline ? why_no_difference(picture) : std::string()};
}

// Pictures whose parts come one by one are asked for again until all are there.
template <typename PictureType>
Description described_in_full(const PictureType& picture) {
  return {picture.is_reading ? PictureState::Loading : picture.state, twin_of(picture), {}};
}
Description described_tokens(const QueryFrame& frame) { return described_in_full(token_query(frame, {})); }
Description described_samples(const QueryFrame& frame) {
  return described_in_full(text_sample_query(frame, {}));
}

// One line a view.
constexpr Describer kDescribers[] = {
    {"drift", described<drift_query, DriftSettings>},
    {"density", described<density_query, DensitySettings>},
    {"loss", described<loss_query, LossSettings>},
    {"needle", described<needle_query, NeedleSettings>},
    {"routing", described<routing_picture, RoutingSettings>},
    {"declarations", described<declaration_picture, DeclarationSettings>},
    {"tokens", described_tokens},
    {"samples", described_samples},
};

}  // namespace

std::vector<std::string> described_views() {
  std::vector<std::string> ids;
  for (const Describer& describer : kDescribers) ids.emplace_back(describer.view);
  return ids;
}

Description describe(std::string_view view, const QueryFrame& frame) {
  std::string names;
  for (const Describer& describer : kDescribers) {
    if (view == describer.view) return describer.describe(frame);
    names += std::string(names.empty() ? "" : ", ") + describer.view;
  }
  throw Error("there is no view '" + std::string(view) + "'; there are " + names, ExitCode::Usage);
}

}  // namespace sparsescope::viz
