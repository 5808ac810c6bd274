#include "viz/widgets/color_vision.h"

#include "viz/widgets/color_space.h"

namespace sparsescope {
namespace {

struct Deficiency {
  const char* name;
  std::array<float, 9> matrix;
};

// Severity 1.0 of the paper's tables.
constexpr Deficiency kDeficiencies[kColorVisions] = {
    {"normal", {1, 0, 0, 0, 1, 0, 0, 0, 1}},
    {"deuteranopia",
     {0.367322f, 0.860646f, -0.227968f, 0.280085f, 0.672501f, 0.047413f, -0.011820f, 0.042940f, 0.968881f}},
    {"protanopia",
     {0.152286f, 1.052583f, -0.204868f, 0.114503f, 0.786281f, 0.099216f, -0.003882f, -0.048116f, 1.051998f}},
    {"tritanopia",
     {1.255528f, -0.076749f, -0.178779f, -0.078411f, 0.930809f, 0.147602f, 0.004733f, 0.691367f, 0.303900f}},
};

ColorVision in_force = ColorVision::Normal;

}  // namespace

const char* color_vision_name(ColorVision vision) { return kDeficiencies[static_cast<int>(vision)].name; }

bool color_vision_from_name(const std::string& name, ColorVision& vision) {
  for (int i = 0; i < kColorVisions; ++i) {
    if (name != kDeficiencies[i].name) continue;
    vision = static_cast<ColorVision>(i);
    return true;
  }
  return false;
}

const std::array<float, 9>& color_vision_matrix(ColorVision vision) {
  return kDeficiencies[static_cast<int>(vision)].matrix;
}

std::uint32_t simulated(std::uint32_t color, ColorVision vision) {
  if (vision == ColorVision::Normal) return color;
  const Triple from = linear_from_rgba(color);
  const std::array<float, 9>& m = color_vision_matrix(vision);
  Triple to{};
  for (std::size_t i = 0; i < 3; ++i)
    to[i] = static_cast<double>(m[3 * i]) * from[0] + static_cast<double>(m[3 * i + 1]) * from[1] +
            static_cast<double>(m[3 * i + 2]) * from[2];
  return (rgba_from_linear(to) & 0x00ffffffu) | (color & 0xff000000u);
}

void set_color_vision(ColorVision vision) { in_force = vision; }
ColorVision color_vision() { return in_force; }

}  // namespace sparsescope
