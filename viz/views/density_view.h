// Scope density by reason. What it shows is decided in viz/model/density_query.cpp.
#pragma once

#include "viz/views/picture_view.h"
#include "viz/views/settings.h"

namespace sparsescope::viz {

// What settings() of the view say, on top of `settings`: commands read them too.
void take(const nlohmann::json& json, DensitySettings& settings);

class DensityView final : public PictureView {
 public:
  std::string_view id() const override { return "density"; }
  std::string_view title() const override { return "Density by reason"; }
  Applies applies(const Run& run) const override;
  nlohmann::json settings() const override;
  std::span<const char* const> choices(std::string_view setting) const override;
  void set_settings(const nlohmann::json& settings) override;

 protected:
  void draw_menu(ViewContext& context) override;
  Picture query(const QueryFrame& frame) const override { return density_query(frame, settings_); }
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to see what is read and why.";
  }

 private:
  DensitySettings settings_;
};

}  // namespace sparsescope::viz
