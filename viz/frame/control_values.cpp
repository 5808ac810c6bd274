#include "viz/frame/control_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

constexpr double kTypedRange = 500;   // a linear control wider than this is typed
constexpr double kNotches = 50;       // over the range of a linear control
constexpr double kFactor = 1.25;      // of a notch of a logarithmic one
constexpr double kLeastShare = 1e-4;  // of the maximum: below it a logarithmic control is at its minimum
constexpr double kTypedNotch = 0.1;   // of a typed control

bool is_pace(const trace::Control& control) { return control.name == "pace"; }

double moved_logarithmic(const trace::Control& control, double value, Notch notch) {
  const double least = control.minimum > 0 ? control.minimum : control.maximum * kLeastShare;
  if (notch == Notch::Up) return value < least ? least : value * kFactor;
  return value <= least * kFactor && control.minimum <= 0 ? control.minimum : value / kFactor;
}

}  // namespace

std::string control_title(const trace::Control& control) {
  std::string title = control.name;
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

std::string control_words(const trace::Control& control, double value) {
  if (is_pace(control) && value <= 0) return "no limit";
  if (control.is_switch) return value != 0 ? "on" : "off";
  const std::string words = viz::format_number(value, 3);
  if (control.unit == "x") return fmt::format("×{}", words);
  return control.unit.empty() || control.unit == "1" ? words : fmt::format("{} {}", words, control.unit);
}

double control_value(const State& state, const trace::Control& control) {
  const auto wish = state.wanted.find(control.name);
  return wish != state.wanted.end() ? wish->second.value : control.value;
}

bool is_typed(const trace::Control& control) {
  return !control.is_switch && !control.is_logarithmic && control.maximum - control.minimum > kTypedRange;
}

double value_of_none(const trace::Control& control) {
  return control.name.ends_with("min") ? control.minimum : control.maximum;
}

bool is_none(const trace::Control& control, double value) {
  return value <= control.minimum || value >= control.maximum;
}

double moved(const trace::Control& control, double value, Notch notch) {
  if (is_pace(control)) {
    if (value <= 0) return notch == Notch::Up ? 0 : control.maximum;
    if (notch == Notch::Up && value * kFactor > control.maximum) return 0;
    return std::max(kTypedNotch, moved_logarithmic(control, value, notch));
  }
  const double sign = notch == Notch::Up ? 1 : -1;
  double to = value + sign * (control.maximum - control.minimum) / kNotches;
  if (control.is_logarithmic) {
    to = moved_logarithmic(control, value, notch);
  } else if (is_typed(control)) {
    to = value + sign * kTypedNotch;
  }
  return std::clamp(to, control.minimum, control.maximum);
}

}  // namespace sparsescope::frame
