// Tables are made once from a few control points, interpolated in Oklab.
#include "viz/widgets/colormaps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/widgets/color_space.h"

namespace sparsescope {
namespace {

using Table = std::array<std::uint32_t, kColorMapEntries>;

std::uint32_t rgba_from_rgb(unsigned rgb) {
  return 0xff000000u | (rgb & 255) << 16 | (rgb & 0xff00) | (rgb >> 16 & 255);
}

// Points at equal distances, joined by straight lines in Oklab.
Table table_through(std::span<const Triple> points) {
  Table table{};
  for (int i = 0; i < kColorMapEntries; ++i) {
    const double place =
        static_cast<double>(i) / (kColorMapEntries - 1) * static_cast<double>(points.size() - 1);
    const std::size_t left = std::min(static_cast<std::size_t>(place), points.size() - 2);
    const double share = place - static_cast<double>(left);
    Triple lab{};
    for (std::size_t k = 0; k < 3; ++k)
      lab[k] = points[left][k] + (points[left + 1][k] - points[left][k]) * share;
    table[static_cast<std::size_t>(i)] = rgba_from_linear(linear_from_oklab(lab));
  }
  return table;
}

Table table_through_colors(std::span<const unsigned> colors) {
  std::vector<Triple> points;
  for (const unsigned rgb : colors) points.push_back(oklab(rgba_from_rgb(rgb)));
  return table_through(points);
}

// Cividis: Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision deficiency"
// (2018), CC0. Ten points of it.
constexpr unsigned kCividis[] = {0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173,
                                 0x8a8678, 0xa59c74, 0xc3b369, 0xe1cc55, 0xfee838};
// Viridis: Smith and van der Walt (2015), CC0. Ten points of it.
constexpr unsigned kViridis[] = {0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e,
                                 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725};
// Twilight: Bechtold (2017), CC0. Ten points of it; the last is the first.
constexpr unsigned kTwilight[] = {0xe2d9e2, 0x9ebbc9, 0x6785be, 0x5e43a5, 0x421257,
                                  0x471340, 0x8e2c50, 0xba6657, 0xceac94, 0xe2d9e2};

struct Hue {
  double degrees;
  double chroma[6];  // from the centre to the end
};

bool is_a_color(const Triple& lab) {
  const Triple linear = linear_from_oklab(lab);
  return std::all_of(linear.begin(), linear.end(), [](double c) { return c >= -1e-4 && c <= 1 + 1e-4; });
}

// Our own, after the idea of ColorBrewer's diverging schemes: two hues whose lightness falls equally to both
// sides of a nearly white centre, so that equal magnitudes weigh equally. Chroma is reduced until it exists.
Table diverging(const Hue& negative, const Hue& positive) {
  constexpr double kLightness[6] = {0.965, 0.875, 0.76, 0.62, 0.48, 0.35};
  std::vector<Triple> points;
  for (int i = -5; i <= 5; ++i) {
    const Hue& hue = i < 0 ? negative : positive;
    const double angle = hue.degrees * 3.14159265358979323846 / 180;
    double chroma = hue.chroma[std::abs(i)];
    Triple lab{};
    do {
      lab = {kLightness[std::abs(i)], chroma * std::cos(angle), chroma * std::sin(angle)};
      chroma *= 0.98;
    } while (!is_a_color(lab));
    points.push_back(lab);
  }
  return table_through(points);
}

constexpr Hue kBlue{252, {0, 0.055, 0.105, 0.14, 0.13, 0.1}};
constexpr Hue kRed{27, {0, 0.06, 0.115, 0.165, 0.17, 0.12}};
constexpr Hue kBrown{70, {0, 0.055, 0.095, 0.11, 0.095, 0.07}};
constexpr Hue kTeal{190, {0, 0.05, 0.085, 0.095, 0.08, 0.06}};

struct MapEntry {
  const char* name;
  unsigned under, over;  // of no map's colours, with any colour vision (a test holds this)
};
constexpr MapEntry kMaps[kColorMaps] = {{"cividis", 0x7cc4ee, 0xe030e8},
                                        {"viridis", 0xb04cff, 0xc04010},
                                        {"RdBu", 0x8a2be2, 0x00e838},
                                        {"BrBG", 0x780cd8, 0xfc00fc},
                                        {"twilight", 0xa824fc, 0x00e030}};
constexpr float kNoLogarithm = -1e30f;  // of what is not positive: below everything, and finite
constexpr float kLinearShare = 1e-3f;   // of the largest magnitude: linear part of symlog
constexpr const char* kScales[] = {"linear", "log", "symlog", "rank"};

// Share of the way through the quantiles at which `value` lies; a run of equal values counts as its first.
float rank_of(std::span<const float> quantiles, float value) {
  std::size_t i = 0;
  for (std::size_t step = 128; step > 0; step /= 2) {
    if (quantiles[i + step] < value) i += step;
  }
  const float width = quantiles[i + 1] - quantiles[i];
  const float share = width > 0 ? (value - quantiles[i]) / width : 0;
  return (static_cast<float>(i) + share) / 256.f;
}

ColorMap default_map = ColorMap::Cividis;

}  // namespace

const char* color_map_name(ColorMap map) { return kMaps[static_cast<int>(map)].name; }

bool color_map_from_name(const std::string& name, ColorMap& map) {
  for (int i = 0; i < kColorMaps; ++i) {
    if (name != kMaps[i].name) continue;
    map = static_cast<ColorMap>(i);
    return true;
  }
  return false;
}

ColorMap default_color_map() { return default_map; }
void set_default_color_map(ColorMap map) { default_map = map; }

bool is_diverging(ColorMap map) { return map == ColorMap::RdBu || map == ColorMap::BrBG; }

const Table& color_map(ColorMap map) {
  static const std::array<Table, kColorMaps> tables = {
      table_through_colors(kCividis), table_through_colors(kViridis), diverging(kBlue, kRed),
      diverging(kBrown, kTeal), table_through_colors(kTwilight)};
  return tables[static_cast<std::size_t>(map)];
}

std::uint32_t under_color(ColorMap map) { return rgba_from_rgb(kMaps[static_cast<int>(map)].under); }
std::uint32_t over_color(ColorMap map) { return rgba_from_rgb(kMaps[static_cast<int>(map)].over); }

const char* scale_name(ColorScaleKind kind) { return kScales[static_cast<int>(kind)]; }

bool scale_from_name(const std::string& name, ColorScaleKind& kind) {
  for (int i = 0; i < 4; ++i) {
    if (name != kScales[i]) continue;
    kind = static_cast<ColorScaleKind>(i);
    return true;
  }
  return false;
}

float ColorScale::stretched(float value) const {
  switch (kind) {
    case ColorScaleKind::Log:
      return value > 0 ? std::log(value) : kNoLogarithm;
    case ColorScaleKind::Symlog:
      return std::copysign(std::log(1 + std::abs(value) / linear), value);
    case ColorScaleKind::Linear:
    case ColorScaleKind::Rank:
      return value;
  }
  return value;
}

ColorScale::Affine ColorScale::affine() const {
  const float from = stretched(low), to = stretched(high);
  return {from, to > from ? 1 / (to - from) : 0};
}

float ColorScale::normalised(float value) const {
  if (kind == ColorScaleKind::Rank && quantiles.size() == 257) {
    if (value < quantiles.front()) return -1;
    if (value > quantiles.back()) return 2;
    return rank_of(quantiles, value);
  }
  const Affine map = affine();
  return (stretched(value) - map.from) * map.factor;
}

float ColorScale::value_at(float place) const {
  if (kind == ColorScaleKind::Rank && quantiles.size() == 257) {
    const float at = std::clamp(place, 0.f, 1.f) * 256;
    const std::size_t i = std::min<std::size_t>(255, static_cast<std::size_t>(at));
    return quantiles[i] + (quantiles[i + 1] - quantiles[i]) * (at - static_cast<float>(i));
  }
  const float from = stretched(low), at = from + (stretched(high) - from) * place;
  switch (kind) {
    case ColorScaleKind::Log:
      return std::exp(at);
    case ColorScaleKind::Symlog:
      return std::copysign(std::expm1(std::abs(at)) * linear, at);
    case ColorScaleKind::Linear:
    case ColorScaleKind::Rank:
      return at;
  }
  return at;
}

std::uint32_t ColorScale::color(float value) const {
  if (value < low) return under_color(map);
  if (value > high) return over_color(map);
  const float place = std::clamp(normalised(value), 0.f, 1.f);
  return color_map(map)[static_cast<std::size_t>(std::min(255, static_cast<int>(place * 256)))];
}

ColorScale symmetric_scale(float magnitude, ColorMap map, ColorScaleKind kind) {
  ColorScale scale;
  scale.map = map;
  scale.kind = kind;
  scale.high = magnitude > 0 ? magnitude : 1;
  scale.low = -scale.high;
  scale.linear = scale.high * kLinearShare;
  return scale;
}

ColorScale fitted_scale(const viz::Cells& cells, ColorMap map, ColorScaleKind kind) {
  const viz::Range extent = cells.extent().value_or(viz::Range{0, 1});
  const auto low = static_cast<float>(extent.minimum), high = static_cast<float>(extent.maximum);
  const float magnitude = std::max(std::abs(low), std::abs(high));
  const bool has_sign = kind == ColorScaleKind::Linear || kind == ColorScaleKind::Symlog;
  if (is_diverging(map) && has_sign) return symmetric_scale(magnitude, map, kind);
  ColorScale scale;
  scale.map = map;
  scale.kind = kind;
  scale.low = low;
  scale.high = high;
  scale.linear = magnitude > 0 ? magnitude * kLinearShare : kLinearShare;
  switch (kind) {
    case ColorScaleKind::Linear:
    case ColorScaleKind::Symlog:
      if (low >= 0) scale.low = 0;
      if (scale.high <= scale.low) scale.high = scale.low + 1;
      break;
    case ColorScaleKind::Log:
      // Zeros have no logarithm and count as under: four decades below the largest are shown.
      if (high <= 0) scale.high = 1;
      if (low <= 0) scale.low = scale.high * 1e-4f;
      if (scale.low >= scale.high) scale.low = scale.high * 0.1f;
      break;
    case ColorScaleKind::Rank:
      scale.quantiles = cells.quantiles();
      break;
  }
  return scale;
}

std::string scale_text(const ColorScale& scale, const std::string& unit) {
  std::string text = fmt::format("{}, {} to {}", scale_name(scale.kind), viz::format_number(scale.low, 3),
                                 viz::format_number(scale.high, 3));
  if (!unit.empty() && unit != "1") text += " " + unit;
  if (scale.kind == ColorScaleKind::Symlog)
    text += fmt::format(", linear within ±{}", viz::format_number(scale.linear, 2));
  return text;
}

}  // namespace sparsescope
