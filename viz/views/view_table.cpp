// The table of views: a new view gets one line here.
#include <nlohmann/json.hpp>

#include "viz/views/declaration_view.h"
#include "viz/views/density_view.h"
#include "viz/views/drift_view.h"
#include "viz/views/loss_view.h"
#include "viz/views/needle_view.h"
#include "viz/views/paired_view.h"
#include "viz/views/routing_view.h"
#include "viz/views/text_sample_view.h"
#include "viz/views/token_view.h"

namespace sparsescope::viz {

nlohmann::json View::settings() const { return nlohmann::json::object(); }
void View::set_settings(const nlohmann::json&) {}

bool pointer_moved() {
  const ImVec2 moved = ImGui::GetIO().MouseDelta;
  return moved.x != 0 || moved.y != 0;
}

const trace::Control* AttachedTrainer::control(std::string_view name) const {
  for (const trace::Control& candidate : controls) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

namespace {

// A kind of view that may stand beside another of its kind.
template <typename ViewType, typename... Arguments>
std::unique_ptr<View> paired(const Arguments&... arguments) {
  return std::make_unique<PairedView>(
      [&]() -> std::unique_ptr<View> { return std::make_unique<ViewType>(arguments...); });
}

}  // namespace

std::vector<std::unique_ptr<View>> make_views() {
  const auto shared = std::make_shared<SharedSettings>();
  std::vector<std::unique_ptr<View>> views;
  views.push_back(paired<DriftView>(shared));
  views.push_back(paired<DensityView>());
  views.push_back(paired<LossView>(shared));
  views.push_back(paired<NeedleView>());
  views.push_back(paired<RoutingView>());
  views.push_back(paired<DeclarationView>());
  views.push_back(paired<TokenView>());
  views.push_back(std::make_unique<TextSampleView>());
  return views;
}

}  // namespace sparsescope::viz
