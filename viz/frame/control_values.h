// The trainer's live controls as people read and move them: words, one notch, what means "none".
#pragma once

#include <string>

#include "viz/frame/state.h"

namespace sparsescope::frame {

std::string control_title(const trace::Control& control);  // "Learning rate scale"
// "×0.5", "12 steps/s", "no limit"
std::string control_words(const trace::Control& control, double value);
// What was chosen last, until the trainer took it; then what the trainer says.
double control_value(const State& state, const trace::Control& control);

// A linear control of a wide range is typed, not dragged.
bool is_typed(const trace::Control& control);
// The value at which a typed control does nothing.
double value_of_none(const trace::Control& control);
bool is_none(const trace::Control& control, double value);

enum class Notch { Down, Up };
// One notch from `value`, inside the range. The pace knows no limit beyond its fastest: that is 0.
double moved(const trace::Control& control, double value, Notch notch);

}  // namespace sparsescope::frame
