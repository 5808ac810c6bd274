// How people with a colour-vision deficiency see a colour, after Machado, Oliveira and Fernandes, "A
// physiologically-based model for simulation of color vision deficiency" (2009). The CPU side; viz/render
// does the same to the whole picture.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sparsescope {

enum class ColorVision { Normal, Deuteranopia, Protanopia, Tritanopia };
inline constexpr int kColorVisions = 4;
const char* color_vision_name(ColorVision vision);  // "normal", "deuteranopia", ...
bool color_vision_from_name(const std::string& name, ColorVision& vision);

// The matrix of full severity, over linear RGB, row after row.
const std::array<float, 9>& color_vision_matrix(ColorVision vision);
// An ImU32 as it is seen; alpha stays.
std::uint32_t simulated(std::uint32_t color, ColorVision vision);

// What every surface applies to its pictures from the next frame on.
void set_color_vision(ColorVision vision);
ColorVision color_vision();

}  // namespace sparsescope
