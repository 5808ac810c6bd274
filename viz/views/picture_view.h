// What all views that show a picture of tracks have in common: the stack of plots and what the pointer does
// in it. A view adds its query, its settings and its arrangement.
#pragma once

#include <optional>
#include <string>

#include "viz/model/picture.h"
#include "viz/model/query.h"
#include "viz/views/staged_view.h"

namespace sparsescope::viz {

class PictureView : public QueriedView<Picture> {
 public:
  std::string values_text(ViewContext& context) const final;

 protected:
  enum class Arrangement {
    Stack,  // one below the other: tracks that explain each other
    Grid,   // the first one large, the others as small multiples
  };
  virtual Arrangement arrangement() const { return Arrangement::Stack; }
  // The smoothing in use, which another view may have changed.
  virtual Smoothing smoothing() const { return {}; }

  // A row above the tracks: what may be changed while a trainer is attached.
  virtual void draw_controls(ViewContext&) {}

  int columns(const ViewContext& context) const final;
  const PictureHead& refresh(ViewContext& context, Run& run) final;
  void draw_marks(ViewContext& context) final;
  void open_menu(ViewContext& context) final { menu_x_ = context.selection.hover.x; }
  void draw_menu(ViewContext& context) override;
  std::string menu_value(ViewContext& context) const final;

 private:
  void draw_grid(const Picture& picture, ViewContext& context, ImVec2 at, ImVec2 size);
  void draw_stack(const Picture& picture, ViewContext& context, std::size_t first, ImVec2 at, ImVec2 size);
  void draw_footer(const Picture& picture);

  Smoothing drawn_with_;
  std::optional<double> menu_x_;  // where the context menu was asked for
};

}  // namespace sparsescope::viz
