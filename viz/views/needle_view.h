// Needle retrieval: signal by depth, answers found by depth and context, signal over training steps, linked.
// What it shows is decided in viz/model/needle_query.cpp.
#pragma once

#include "viz/model/needle_query.h"
#include "viz/views/needle_panes.h"
#include "viz/views/staged_view.h"

namespace sparsescope::viz {

class NeedleView final : public QueriedView<NeedlePicture> {
 public:
  std::string_view id() const override { return "needle"; }
  std::string_view title() const override { return "Needle retrieval"; }
  Applies applies(const Run& run) const override;
  std::string values_text(ViewContext& context) const override;
  bool walk(ViewContext& context, Walk key) override;
  bool has_cells() const override {
    return has_picture() && !picture().runs.empty() && !picture().runs.front().contexts.empty();
  }
  bool is_walking() const override { return walk_.is_walking(); }
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;
  std::optional<double> data_limit() const override;
  void set_common_limit(double limit) override;

 protected:
  NeedlePicture query(const QueryFrame& frame) const override;
  const PictureHead& refresh(ViewContext& context, Run& run) override;
  void draw_marks(ViewContext& context) override;
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to see whether it finds a needle.";
  }
  void draw_menu(ViewContext& context) override;
  void open_menu(ViewContext&) override { menu_ = lit_; }
  std::string menu_value(ViewContext& context) const override;
  std::string menu_row(ViewContext& context) const override;

 private:
  void draw_wide(ViewContext& context, ImVec2 at, ImVec2 size);
  void draw_narrow(ViewContext& context, ImVec2 at, ImVec2 size);
  void draw_curves(ImVec2 at, ImVec2 size);
  void draw_grid(ImVec2 at, ImVec2 size);
  void draw_steps(ViewContext& context, ImVec2 at, ImVec2 size);
  void follow_pointer(ViewContext& context);
  void choose_against(const ViewContext& context);
  bool choose_limit();
  bool is_place(const NeedleHover& place) const;
  NeedleHover held() const;
  void jump(ViewContext& context, std::uint64_t step) const;

  NeedleSettings settings_;
  std::string evaluate_words_;  // of the button, with the time that the trainer tells
  NeedleHover lit_, hover_;     // under the pointer in the frame before, and in this one
  CellWalk walk_;               // depths are rows, contexts columns
  ImVec2 grid_at_{0, 0}, grid_size_{0, 0};
  NeedleHover menu_;  // where the context menu was asked for
};

}  // namespace sparsescope::viz
