#include "viz/model/needle_stats.h"

#include <algorithm>
#include <cmath>

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kNormal95 = 1.959963984540054;  // the 97.5 % point of the normal distribution

}  // namespace

Range wilson_interval(double share, std::int64_t trials) {
  if (trials <= 0 || !std::isfinite(share)) return {kUnknown, kUnknown};
  const auto n = static_cast<double>(trials);
  const double squared = kNormal95 * kNormal95;
  const double middle = (share + squared / (2 * n)) / (1 + squared / n);
  const double half =
      kNormal95 * std::sqrt(share * (1 - share) / n + squared / (4 * n * n)) / (1 + squared / n);
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

bool is_distinguishable(double signal, double standard_error) {
  return standard_error > 0 && std::abs(signal) >= kDistinguishable * standard_error;
}

std::pair<std::string, std::string> rounded_to_error(double value, double error) {
  int decimals = 3;
  if (error > 0) decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 6);
  const std::string size = format_fixed(std::abs(value), decimals);
  const bool is_zero = size.find_first_not_of("0.") == std::string::npos;
  return {is_zero ? size : (value < 0 ? "−" : "+") + size, format_fixed(error, decimals)};
}

NeedleMean mean_over_depths(std::span<const NeedleCell> cells) {
  double signal = 0, squares = 0, ceiling = 0;
  std::int64_t depths = 0;
  NeedleMean mean;
  for (const NeedleCell& cell : cells) {
    if (!cell.is_evaluated()) continue;
    ++depths;
    signal += cell.signal;
    squares += cell.standard_error * cell.standard_error;
    ceiling += cell.nll_without;
    mean.trials += cell.trials;
  }
  if (depths == 0) return mean;
  const auto n = static_cast<double>(depths);
  mean.signal = signal / n;
  mean.standard_error = std::sqrt(squares) / n;
  mean.nll_without = ceiling / n;
  return mean;
}

}  // namespace sparsescope::viz
