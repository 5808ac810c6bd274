// How far a kernel may be from its reference: atol + eps(dtype) * |reference| * growth. For tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sparsescope::kernels {

struct Tolerance {
  double atol = 0;     // absolute part
  double epsilon = 0;  // unit roundoff of the narrowest type on the way
  double growth = 1;   // how much rounding may pile up, justified where it is used
};

inline constexpr double kEpsilonF32 = 5.96e-8;
inline constexpr double kEpsilonF64 = 1.11e-16;
inline constexpr double kEpsilonBf16 = 3.91e-3;

// Empty when every element is inside, else one sentence: the first element outside and the worst one.
std::string first_outside(std::span<const float> got, std::span<const float> reference, Tolerance tolerance);
std::string first_outside(std::span<const double> got, std::span<const double> reference,
                          Tolerance tolerance);

}  // namespace sparsescope::kernels
