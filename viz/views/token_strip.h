// The probe sequence as text: every token a link, locked and hovered ones marked, the needle outlined, and
// what the locked token reads underlined by reason.
#pragma once

#include <cstdint>
#include <vector>

#include "viz/model/token_query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

enum class StripMarks { Reads, Readers, None };

class TokenStrip {
 public:
  // Draws at most `height` framebuffer pixels of it, the rest by scrolling; less when the text is short.
  // Moves to the locked token when that changed.
  // `held`: by keys; it is scrolled to as well.
  void draw(ViewContext& context, const TokenPicture& picture, StripMarks marks, float height,
            std::optional<std::int64_t> held = {});
  // The token that a key goes to from `token`: the next one in reading order, or the one above or below it as
  // the lines were laid out last.
  std::int64_t moved(std::int64_t token, Walk key) const;

 private:
  struct Place {
    std::size_t token = 0;
    float x = 0, width = 0;
  };
  void lay_out(const TokenPicture& picture, float width);

  std::vector<std::vector<Place>> lines_;
  // What the layout was made for.
  std::vector<std::int64_t> ids_;
  float width_ = 0, scale_ = 0;
  bool has_words_ = false;
  std::optional<std::int64_t> shown_lock_, shown_held_;
};

}  // namespace sparsescope::viz
