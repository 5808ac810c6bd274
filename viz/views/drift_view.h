// Threshold drift: is the mechanism buying density? What it shows is decided in viz/model/drift_query.cpp.
#pragma once

#include <memory>

#include "viz/views/picture_view.h"
#include "viz/views/settings.h"

namespace sparsescope::viz {

class DriftView final : public PictureView {
 public:
  explicit DriftView(std::shared_ptr<SharedSettings> shared) : shared_(std::move(shared)) {}
  std::string_view id() const override { return "drift"; }
  std::string_view title() const override { return "Threshold drift"; }
  Applies applies(const Run& run) const override;
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;

 protected:
  Picture query(const QueryFrame& frame) const override;
  Smoothing smoothing() const override { return shared_->smoothing; }
  bool draw_settings(ViewContext& context) override;
  void draw_controls(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to watch its thresholds.";
  }

 private:
  std::shared_ptr<SharedSettings> shared_;
  DriftSettings settings_;
  std::optional<double> sparsity_wish_;  // where the handle stands while it is dragged
};

}  // namespace sparsescope::viz
