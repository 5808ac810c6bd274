// Small controls in our look, shared by the frame and the views. They draw and report; they hold nothing.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "viz/widgets/theme.h"

namespace sparsescope::ui {

enum class Tone { Neutral, Accent, Ok, Warn, Error };
Token token_of(Tone tone);

// A framed button, with an icon (icon.h) before the words when `icon` is not empty. Returns true when
// pressed.
bool button(const char* label, const char* icon = "", Tone tone = Tone::Neutral, ImVec2 size = {0, 0});
// A square button of an icon; `words` is its tooltip and stands in when the icon font is missing.
bool icon_button(const char* id, const char* icon, const char* words, Tone tone = Tone::Neutral);
// A short text in a rounded box, such as a state.
void pill(const std::string& text, Tone tone, const char* icon = "");
// A big number with its unit or total behind it in grey, over a muted label. Keeps the width of `widest`.
void stat(const std::string& value, const std::string& behind, const char* label, const char* widest = "");
// One of several; returns true when `index` changed.
bool segmented(const char* id, std::span<const char* const> names, int& index);
// Label, a thin track with a round handle, then the value in words. Lengths at scale 1. True while it
// changes.
enum class Steps { Linear, Logarithmic };
bool slider(const char* id, double& value, double minimum, double maximum, Steps steps, float width,
            const std::string& words);
// A switch with its label.
bool toggle(const char* label, bool& on);
// A thin bar; a negative fraction means unknown and draws a resting bar. Returns true when Cancel was
// pressed.
bool progress(const char* id, double fraction, const std::string& text, bool can_cancel = true);
// A keyboard key, drawn as a cap: "Ctrl+K".
void key_cap(const std::string& keys);
// Muted text; wrapped text; a number in the mono font.
void muted(const std::string& text);
void wrapped(const std::string& text, Token ink = Token::Text);
void mono(const std::string& text, Token ink = Token::Text);
// Right-aligned value of a row whose label was drawn first (label — value lists of the side panels).
void row(const std::string& label, const std::string& value, Token ink = Token::Muted);
// A small heading of a panel section.
void heading(const char* text);
// Tooltip of the last item: what it is, then a muted line.
void tooltip(const std::string& text, const std::string& detail = "");

// What every view shows around its picture.
struct ViewHeader {
  std::string title;         // "θ by layer"
  std::string detail;        // "in standard deviations of the scores", muted, on the same line
  std::string takeaway;      // one sentence
  Token run = Token::Count;  // colour of the run the picture belongs to; Count: no mark
  std::string help;          // formula, unit, averaging; shown by the ? button, lines separated by \n
};
// Draws title, takeaway, the settings button (when `settings` is given; it fills the popover) and the ?
// button.
void view_header(const ViewHeader& header, const std::function<void()>& settings = {});

// The place of a picture that is not there: icon, one sentence, at most one button. Fills what is left of the
// window.
bool empty_state(const char* icon, const std::string& sentence, const char* action = nullptr,
                 Tone tone = Tone::Neutral);
// An amber mark at the right edge of the header row: "showing step 1,200, cursor at 1,236".
void behind_mark(const std::string& sentence);
// A failure where the result would have been. True when Retry was pressed; Copy details is handled here.
bool error_state(const std::string& sentence, const std::string& details, bool can_retry);

}  // namespace sparsescope::ui
