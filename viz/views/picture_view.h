// What all views that show a picture of tracks have in common: query with a cache, header, every state of the
// data, the stack of plots, context menu and text twin. A view adds its query, its settings and its
// arrangement.
#pragma once

#include <optional>
#include <string>

#include "viz/model/picture.h"
#include "viz/model/query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

class PictureView : public View {
 public:
  void draw(ViewContext& context) final;
  std::string text_twin(ViewContext& context) const final;
  std::string values_text(ViewContext& context) const final;

 protected:
  enum class Arrangement {
    Stack,  // one below the other: tracks that explain each other
    Grid,   // the first one large, the others as small multiples
  };
  virtual Picture query(const QueryFrame& frame) const = 0;
  virtual Arrangement arrangement() const { return Arrangement::Stack; }
  // The smoothing in use, which another view may have changed.
  virtual Smoothing smoothing() const { return {}; }
  // Fills the settings popover; true when something changed.
  virtual bool draw_settings(ViewContext& context) = 0;
  // The sentence and button shown while no run is open.
  virtual const char* empty_words() const = 0;

 private:
  const Picture& cached(ViewContext& context, Run& run);
  void draw_header(const Picture& picture, ViewContext& context);
  // False: there is no picture to draw below.
  bool draw_state(const Picture& picture, ViewContext& context, Run& run);
  void draw_tracks(const Picture& picture, ViewContext& context);
  void draw_grid(const Picture& picture, ViewContext& context, ImVec2 at, ImVec2 size);
  void draw_stack(const Picture& picture, ViewContext& context, std::size_t first, ImVec2 at, ImVec2 size);
  void draw_footer(const Picture& picture);
  void draw_context_menu(const Picture& picture, ViewContext& context);

  // All that a picture depends on, besides the view's own settings.
  struct Key {
    std::uint32_t run = 0;
    std::uint64_t run_version = 0, timeline_version = 0, cursor_step = 0, pending = 0, rows_read = 0;
    Cursor::Mode mode = Cursor::Mode::Follow;
    TimeAxis axis = TimeAxis::Step;
    std::optional<Range> chosen, brush;
    int columns = 0;
    Smoothing smoothing;
    bool operator==(const Key&) const = default;
  };
  Key key_;
  std::optional<Picture> picture_;
  std::optional<double> menu_x_;  // where the context menu was asked for
};

}  // namespace sparsescope::viz
