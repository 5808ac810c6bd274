// Colour arithmetic: sRGB, linear light, and Oklab (Björn Ottosson, 2020), in which equal steps look about
// equal.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace sparsescope {

using Triple = std::array<double, 3>;

// One channel, 0..1.
inline double linear_from_srgb(double c) {
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}
inline double srgb_from_linear(double c) {
  return c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
}

inline Triple linear_from_rgba(std::uint32_t color) {
  return {linear_from_srgb((color & 255) / 255.0), linear_from_srgb((color >> 8 & 255) / 255.0),
          linear_from_srgb((color >> 16 & 255) / 255.0)};
}
// Opaque; what lies outside is cut off.
inline std::uint32_t rgba_from_linear(const Triple& linear) {
  std::uint32_t color = 0xff000000u;
  for (int i = 0; i < 3; ++i) {
    const double channel = srgb_from_linear(std::clamp(linear[static_cast<std::size_t>(i)], 0.0, 1.0));
    color |= static_cast<std::uint32_t>(std::lround(channel * 255)) << (8 * i);
  }
  return color;
}

inline Triple oklab_from_linear(const Triple& rgb) {
  const double l = std::cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
  const double m = std::cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
  const double s = std::cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}
inline Triple linear_from_oklab(const Triple& lab) {
  const auto cubed = [](double v) { return v * v * v; };
  const double l = cubed(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2]);
  const double m = cubed(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2]);
  const double s = cubed(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2]);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}
inline Triple oklab(std::uint32_t color) { return oklab_from_linear(linear_from_rgba(color)); }

// How different two colours look, about 0 to 1; 0.02 is just noticeable side by side.
inline double color_distance(std::uint32_t a, std::uint32_t b) {
  const Triple one = oklab(a), other = oklab(b);
  return std::hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

}  // namespace sparsescope
