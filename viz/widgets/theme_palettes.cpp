// The themes as tables: colours, names, metrics. Nothing is drawn or applied here.
#include <algorithm>
#include <cmath>

#include "viz/widgets/theme.h"

namespace sparsescope {
namespace {

using Palette = std::array<unsigned, static_cast<std::size_t>(Token::Count)>;

// clang-format off
constexpr Palette kDark = {
    // Bg Panel Raised Hover Line Absent AbsentHatch Text Muted Faint
    0x0f1216, 0x15191f, 0x1b2028, 0x262c36, 0x2a313c, 0x0f1216, 0x242b34, 0xe7ebf0, 0x98a3b3, 0x5d6878,
    // Accent AccentSurface Ok Warn Error
    0x4cc2b0, 0x123a37, 0x58c08a, 0xe5b454, 0xef6b62,
    // Direct Inherited Fallback Self
    0x5aa9ff, 0xf2a65a, 0x8a93a3, 0xc3a6f0,
    // Run1 to Run8
    0x4cc2b0, 0xf2a65a, 0xb08cf5, 0x5aa9ff, 0xe987b4, 0xd9cf5a, 0xef7d66, 0x9ccb6a};
constexpr Palette kLight = {
    // Bg Panel Raised Hover Line Absent AbsentHatch Text Muted Faint
    0xeef0f3, 0xffffff, 0xf6f7f9, 0xdee2e8, 0xd4d9e0, 0xd6dce4, 0xbcc5d0, 0x1a2028, 0x566172, 0x8a94a3,
    // Accent AccentSurface Ok Warn Error
    0x00796b, 0xe4f6f3, 0x1a7d4c, 0x8c6000, 0xb8322a,
    // Direct Inherited Fallback Self
    0x1769c4, 0xb85c00, 0x6b7482, 0x7a4fb5,
    // Run1 to Run8
    0x00796b, 0xb85c00, 0x6b3fc4, 0x1769c4, 0xb0357a, 0x7d6f00, 0xb8432a, 0x4c7d16};
// For talks: no thin grey.
constexpr Palette kProjector = {
    // Bg Panel Raised Hover Line Absent AbsentHatch Text Muted Faint
    0xe4e8ed, 0xffffff, 0xf2f4f7, 0xd5dbe3, 0x8b95a3, 0xd3d9e1, 0xaeb8c5, 0x0b0f14, 0x36404d, 0x5f6977,
    // Accent AccentSurface Ok Warn Error
    0x00655b, 0xd3ece8, 0x0d6338, 0x745000, 0xa3221b,
    // Direct Inherited Fallback Self
    0x0f57ad, 0x944600, 0x4a5361, 0x6339a3,
    // Run1 to Run8
    0x00655b, 0x944600, 0x5427b0, 0x0f57ad, 0x962065, 0x5e5300, 0xa0311d, 0x37620a};
// For low vision: 7:1 everywhere.
constexpr Palette kContrast = {
    // Bg Panel Raised Hover Line Absent AbsentHatch Text Muted Faint
    0x1d2731, 0x000000, 0x0c1116, 0x1d2731, 0x9aa6b6, 0x11171d, 0x3a4753, 0xffffff, 0xdfe5ec, 0xb4bfcc,
    // Accent AccentSurface Ok Warn Error
    0x5ff0d8, 0x06302c, 0x7ff0b0, 0xffd166, 0xff9d94,
    // Direct Inherited Fallback Self
    0x86c5ff, 0xffbe78, 0xc3ccd8, 0xdcc8ff,
    // Run1 to Run8
    0x5ff0d8, 0xffbe78, 0xcbb0ff, 0x86c5ff, 0xffa3cf, 0xf0e664, 0xff9d88, 0xb5ec80};
// clang-format on

struct ThemeEntry {
  const char* name;
  const char* words;
  const Palette* palette;
  ThemeMetrics metrics;
};
constexpr ThemeEntry kThemes[kThemeCount] = {
    {"dark", "Dark", &kDark, {1, 1, 0.75f, 0, 0.32f}},
    {"light", "Light", &kLight, {1, 1, 0.75f, 0, 0.32f}},
    {"projector", "Projector: large text and heavy lines", &kProjector, {1.4f, 2, 0.4f, 0, 0.42f}},
    {"contrast", "High contrast", &kContrast, {1, 1.5f, 0.4f, 1, 0.55f}},
};
const ThemeEntry& entry(Theme theme) { return kThemes[static_cast<int>(theme)]; }

}  // namespace

std::span<const Theme> themes() {
  static constexpr std::array kAll = {Theme::Dark, Theme::Light, Theme::Projector, Theme::Contrast};
  static_assert(kAll.size() == kThemeCount);
  return kAll;
}

const char* theme_name(Theme theme) { return entry(theme).name; }
const char* theme_words(Theme theme) { return entry(theme).words; }

std::optional<Theme> theme_from_name(std::string_view name) {
  for (int i = 0; i < kThemeCount; ++i) {
    if (name == kThemes[i].name) return static_cast<Theme>(i);
  }
  return std::nullopt;
}

std::vector<std::string> theme_names() {
  std::vector<std::string> names;
  for (const ThemeEntry& each : kThemes) names.emplace_back(each.name);
  return names;
}

const ThemeMetrics& metrics(Theme theme) { return entry(theme).metrics; }

const Palette& palette(Theme theme) { return *entry(theme).palette; }

double contrast(unsigned rgb_a, unsigned rgb_b) {
  const auto luminance = [](unsigned rgb) {
    const auto linear = [](unsigned channel) {
      const double c = (channel & 255) / 255.0;
      return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
  };
  const double a = luminance(rgb_a), b = luminance(rgb_b);
  return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

}  // namespace sparsescope
