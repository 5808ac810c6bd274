// A long text in lines, with marked stretches in colour and underlined.
#pragma once

#include <vector>

#include "viz/model/text_sample.h"
#include "viz/widgets/theme.h"

namespace sparsescope::viz {

// Draws below the cursor in `width` framebuffer pixels and moves on by its height. Lines end where the text
// says or where no word fits.
void draw_text_flow(const std::vector<TextPiece>& pieces, float width, Token ink);

}  // namespace sparsescope::viz
