#include "viz/model/describe.h"

#include "engine/trace/error.h"
#include "viz/model/declaration_query.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

struct Describer {
  const char* view;
  Description (*describe)(const QueryFrame& frame);
};

template <auto query, typename Settings>
Description described(const QueryFrame& frame) {
  const auto picture = query(frame, Settings{});
  return {picture.state, twin_of(picture)};
}

// One line a view.
constexpr Describer kDescribers[] = {
    {"drift", described<drift_query, DriftSettings>},
    {"density", described<density_query, DensitySettings>},
    {"loss", described<loss_query, LossSettings>},
    {"declarations", described<declaration_picture, DeclarationSettings>},
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
