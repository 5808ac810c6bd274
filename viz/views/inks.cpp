#include "viz/views/inks.h"

#include <algorithm>
#include <cmath>

namespace sparsescope::viz {
namespace {

// Parts of a whole: categories without a fixed meaning, in the order of the run colours but never the run's
// own first.
Token part_token(double place) { return run_token(1 + static_cast<int>(std::lround(place)) % 7); }

ImVec4 mix(const ImVec4& a, const ImVec4& b, float t) {
  return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t, 1};
}

}  // namespace

ImU32 ramp_color(double place, float alpha) {
  const auto t = static_cast<float>(std::clamp(place, 0.0, 1.0));
  // Grey, then warm, then towards the text: brightness moves one way in both themes.
  const ImVec4 from = mix(color4(Token::Muted), color4(Token::Faint), 0.35f), middle = color4(Token::Warn),
               to = mix(middle, color4(Token::Text), 0.55f);
  ImVec4 ink = t < 0.6f ? mix(from, middle, t / 0.6f) : mix(middle, to, (t - 0.6f) / 0.4f);
  ink.w = alpha;
  return ImGui::ColorConvertFloat4ToU32(ink);
}

ImU32 ink_color(Ink ink, double place, std::uint32_t run, float alpha) {
  switch (ink) {
    case Ink::Run:
      return color(run_token(static_cast<int>(run)), alpha);
    case Ink::Text:
      return color(Token::Text, alpha);
    case Ink::Muted:
      return color(Token::Muted, alpha);
    case Ink::Accent:
      return color(Token::Accent, alpha);
    case Ink::Direct:
      return color(Token::Direct, alpha);
    case Ink::Inherited:
      return color(Token::Inherited, alpha);
    case Ink::Fallback:
      return color(Token::Fallback, alpha);
    case Ink::Self:
      return color(Token::Self, alpha);
    case Ink::Ramp:
      return ramp_color(place, alpha);
    case Ink::Part:
      return color(part_token(place), alpha);
  }
  return color(Token::Text, alpha);
}

plot::Dash plot_dash(Dash dash) {
  switch (dash) {
    case Dash::Solid:
      return plot::Dash::Solid;
    case Dash::Dashed:
      return plot::Dash::Dashed;
    case Dash::Dotted:
      return plot::Dash::Dotted;
  }
  return plot::Dash::Solid;
}

}  // namespace sparsescope::viz
