// Comparison of two arrays under a tolerance. No test framework here.
#include "kernels/common/tolerance.h"

#include <cmath>
#include <sstream>

namespace sparsescope::kernels {
namespace {

template <typename T>
std::string compare(std::span<const T> got, std::span<const T> reference, Tolerance tolerance) {
  if (got.size() != reference.size()) return "the arrays have different sizes";
  std::size_t first = got.size(), worst = 0, outside = 0;
  double worst_excess = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double expected = reference[i], difference = std::abs(double(got[i]) - expected);
    const double allowed = tolerance.atol + tolerance.epsilon * std::abs(expected) * tolerance.growth;
    const bool both_nan = std::isnan(expected) && std::isnan(double(got[i]));
    if (both_nan || got[i] == reference[i] || difference <= allowed) continue;
    if (outside++ == 0) first = i;
    if (difference - allowed >= worst_excess || std::isnan(difference))
      worst = i, worst_excess = difference - allowed;
  }
  if (outside == 0) return {};
  std::ostringstream sentence;
  sentence.precision(9);
  sentence << outside << " of " << got.size() << " elements are outside the tolerance: element " << first
           << " is " << got[first] << " instead of " << reference[first] << ", the worst is element " << worst
           << ", " << got[worst] << " instead of " << reference[worst];
  return sentence.str();
}

}  // namespace

std::string first_outside(std::span<const float> got, std::span<const float> reference, Tolerance tolerance) {
  return compare<float>(got, reference, tolerance);
}
std::string first_outside(std::span<const double> got, std::span<const double> reference,
                          Tolerance tolerance) {
  return compare<double>(got, reference, tolerance);
}

}  // namespace sparsescope::kernels
