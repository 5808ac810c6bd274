// Colour maps and how a value finds its place on them. No drawing; the shader and the CPU use the same
// tables.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "viz/model/cells.h"

namespace sparsescope {

// Sequential: Cividis, Viridis. Diverging, centred on 0: RdBu (blue negative, red positive), BrBG (brown
// negative, teal positive). Cyclic: Twilight.
enum class ColorMap { Cividis, Viridis, RdBu, BrBG, Twilight };
inline constexpr int kColorMaps = 5;
inline constexpr int kColorMapEntries = 256;
// "cividis", ...; and back: false when no map has that name.
const char* color_map_name(ColorMap map);
bool color_map_from_name(const std::string& name, ColorMap& map);
bool is_diverging(ColorMap map);
// What heatmaps whose values have no middle use where nothing else is better.
ColorMap default_color_map();
void set_default_color_map(ColorMap map);

// Entries from low to high, as ImU32 (red in the lowest byte), opaque.
const std::array<std::uint32_t, kColorMapEntries>& color_map(ColorMap map);
// What lies outside the limits, in colours that the map does not hold.
std::uint32_t under_color(ColorMap map);
std::uint32_t over_color(ColorMap map);

// Symlog is linear within `linear` of zero and logarithmic beyond. Rank places a value by the share of values
// below it.
enum class ColorScaleKind { Linear, Log, Symlog, Rank };
const char* scale_name(ColorScaleKind kind);  // "linear", "log", "symlog", "rank"
bool scale_from_name(const std::string& name, ColorScaleKind& kind);

// From a value to a colour. Copy freely; `quantiles` belongs to whoever made the cells.
struct ColorScale {
  ColorMap map = ColorMap::Cividis;
  ColorScaleKind kind = ColorScaleKind::Linear;
  float low = 0, high = 1;
  float linear = 1e-3f;              // Symlog: half width of the linear part, > 0
  std::span<const float> quantiles;  // Rank: Cells::quantiles() of the cells shown

  // Where `value` lies: 0 at low, 1 at high; below 0 is under, above 1 is over. Log: what is not positive is
  // under.
  float normalised(float value) const;
  // The value at a place 0..1, for ticks of the bar.
  float value_at(float place) const;
  // The colour of a value, with the under and over colours outside the limits.
  std::uint32_t color(float value) const;

  // normalised(v) = (stretched(v) - from) * factor, but for Rank: what the shader computes.
  struct Affine {
    float from = 0, factor = 1;
  };
  float stretched(float value) const;
  Affine affine() const;
};

// The scale that shows all of `cells`: 0 to the largest for sequential maps when nothing is negative, else
// the extent; symmetric around 0 for diverging ones (Log knows positive values only, and Rank no zero). Takes
// the quantiles along.
ColorScale fitted_scale(const viz::Cells& cells, ColorMap map, ColorScaleKind kind = ColorScaleKind::Linear);
// The limits of a diverging scale around 0; Linear or Symlog.
ColorScale symmetric_scale(float magnitude, ColorMap map = ColorMap::RdBu,
                           ColorScaleKind kind = ColorScaleKind::Linear);
// What stands on the bar: "log, 1e-4 to 1 nats"; `unit` may be empty.
std::string scale_text(const ColorScale& scale, const std::string& unit);

}  // namespace sparsescope
