// Loss and throughput. What it shows is decided in viz/model/loss_query.cpp.
#pragma once

#include <memory>

#include "viz/views/picture_view.h"
#include "viz/views/settings.h"

namespace sparsescope::viz {

class LossView final : public PictureView {
 public:
  explicit LossView(std::shared_ptr<SharedSettings> shared) : shared_(std::move(shared)) {}
  std::string_view id() const override { return "loss"; }
  std::string_view title() const override { return "Loss and throughput"; }
  Applies applies(const Run& run) const override;
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;

 protected:
  Picture query(const QueryFrame& frame) const override;
  Arrangement arrangement() const override { return Arrangement::Grid; }
  Smoothing smoothing() const override { return shared_->smoothing; }
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override { return "No steps yet. Train a preset or open a recording."; }

 private:
  std::shared_ptr<SharedSettings> shared_;
  LossSettings settings_;
};

}  // namespace sparsescope::viz
