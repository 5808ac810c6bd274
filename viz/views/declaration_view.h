// The declaration map: what each past token announces, and since when. What it shows is decided in
// viz/model/declaration_query.cpp.
#pragma once

#include <optional>

#include "viz/model/declaration_query.h"
#include "viz/views/declaration_map.h"
#include "viz/views/staged_view.h"

namespace sparsescope::viz {

class DeclarationView final : public QueriedView<DeclarationPicture> {
 public:
  DeclarationView() { memory_.work = DeclarationWork::AsideWhenLarge; }
  std::string_view id() const override { return "declarations"; }
  std::string_view title() const override { return "Declaration map"; }
  Applies applies(const Run& run) const override;
  std::string values_text(ViewContext& context) const override;
  bool walk(ViewContext& context, Walk key) override;
  bool has_cells() const override { return has_picture() && picture().cells != nullptr; }
  bool is_walking() const override { return walk_.is_walking(); }
  bool has_camera() const override { return true; }
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;
  std::span<const char* const> choices(std::string_view setting) const override;
  std::optional<double> data_limit() const override;
  void set_common_limit(double limit) override;

 protected:
  DeclarationPicture query(const QueryFrame& frame) const override;
  const PictureHead& refresh(ViewContext& context, Run& run) override;
  void draw_marks(ViewContext& context) override;
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to see what its tokens declare.";
  }
  void open_menu(ViewContext&) override { menu_place_ = place_; }
  void draw_menu(ViewContext& context) override;
  std::string menu_value(ViewContext& context) const override;
  std::string menu_row(ViewContext& context) const override;

 private:
  void draw_controls(ViewContext& context);
  void draw_line(ViewContext& context);
  void draw_found(ImVec2 at, float right, ViewContext& context);
  // At the right end of the line; returns the width it took.
  float draw_history(ImVec2 at, float width, float height);
  void draw_footer();
  bool choose_value();
  bool choose_rows();
  bool choose_limit();
  bool draw_comparison_settings(const ViewContext& context);
  CellBlock visible() const;
  CellWalk::Place first_held(const Marks& locked) const;

  DeclarationSettings settings_;
  // Not a part of what is shown: what was made already, and how far the walk through the probes has come.
  mutable DeclarationMemory memory_;
  DeclarationCamera camera_;
  CellWalk walk_;
  DeclarationPlace place_;  // under the pointer in the last frame
  DeclarationPlace menu_place_;
  PictureHead axes_;  // stands in while the first map is being read: axes and hatched rows are drawn
};

}  // namespace sparsescope::viz
