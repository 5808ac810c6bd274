// The small parts that show tokens: a token as a link, a number that copies itself, a reason with its dash,
// and the card of one token. They draw, and write locks and hovers into the selection.
#pragma once

#include <cstdint>
#include <string>

#include "viz/model/token_query.h"
#include "viz/views/view.h"
#include "viz/widgets/theme.h"

namespace sparsescope::viz {

// How high a row of these parts is, and so how high every target is; at scale 1.
inline constexpr float kTokenRow = 24;

// A token in a rounded box. A click locks its position, or its id when it has no position; Shift-click makes
// it the second one; the pointer over it lights it up everywhere. At most `width` framebuffer pixels.
// Returns the width taken.
float token_link(ViewContext& context, const TokenName& name, float width);
// The width that token_link would take.
float token_link_width(const TokenName& name, float width);

// A number that a click copies: `full` goes to the clipboard. Its right edge, or its left one, is at the
// cursor. Returns the width taken.
enum class Align { Left, Right };
float copyable(const char* id, const std::string& shown, const std::string& full, Align align,
               Token ink = Token::Text);

// Colour and dash of the foremost reason of a pair.
ImU32 reason_color(std::uint8_t reasons, float alpha = 1);
// A short stroke in the colour and dash of the foremost reason.
void reason_stroke(ImDrawList* list, ImVec2 from, ImVec2 to, std::uint8_t reasons, float thickness);

// Everything about one token, as rows below each other in the room there is. `slot` 0 or 1: which of two
// cards, for their ids.
void draw_token_card(ViewContext& context, const TokenCard& card, int slot);

}  // namespace sparsescope::viz
