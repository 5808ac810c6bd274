#include "viz/model/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace sparsescope::viz {
namespace {

// Puts commas into the whole part of "-12345.67".
std::string with_commas(const std::string& plain) {
  const std::size_t begin = plain.starts_with("-") ? 1 : 0;
  const std::size_t end = std::min(plain.find_first_of(".e"), plain.size());
  std::string out = plain.substr(0, begin);
  for (std::size_t i = begin; i < end; ++i) {
    if (i > begin && (end - i) % 3 == 0) out += ',';
    out += plain[i];
  }
  return out + plain.substr(end);
}

std::string absent_or_infinite(double value) {
  if (std::isnan(value)) return kAbsent;
  return value > 0 ? "∞" : "-∞";
}

// Decimals that tell multiples of `step` apart.
int decimals_of(double step) {
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
}

}  // namespace

std::string format_count(std::int64_t value) { return with_commas(fmt::format("{}", value)); }

std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value)) return absent_or_infinite(value);
  std::string text = with_commas(fmt::format("{:.{}f}", value, decimals));
  // "-0.00" is zero.
  if (text.starts_with("-") && text.find_first_not_of("-0.,") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string format_number(double value, int significant) {
  if (!std::isfinite(value)) return absent_or_infinite(value);
  if (value == 0) return "0";
  const double magnitude = std::abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e15)
    return fmt::format("{:.{}e}", value, std::max(0, significant - 2));
  const int whole = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  std::string text = fmt::format("{:.{}f}", value, std::max(0, significant - whole));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return with_commas(text);
}

std::string format_quantity(double value) {
  if (!std::isfinite(value)) return absent_or_infinite(value);
  constexpr std::array<const char*, 5> kSuffixes = {"", " k", " M", " G", " T"};
  double rest = std::abs(value);
  std::size_t power = 0;
  while (rest >= 999.5 && power + 1 < kSuffixes.size()) {
    rest /= 1000;
    ++power;
  }
  return fmt::format("{}{}{}", value < 0 ? "-" : "", format_number(rest, 3), kSuffixes[power]);
}

std::string format_bytes(double bytes) {
  if (!std::isfinite(bytes)) return absent_or_infinite(bytes);
  constexpr std::array<const char*, 5> kSuffixes = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t power = 0;
  while (bytes >= 1023.5 && power + 1 < kSuffixes.size()) {
    bytes /= 1024;
    ++power;
  }
  return fmt::format("{} {}", format_number(bytes, 3), kSuffixes[power]);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return absent_or_infinite(seconds);
  if (seconds < 0) return fmt::format("-{}", format_duration(-seconds));
  if (seconds == 0) return "0 s";
  if (seconds < 1e-3) return format_number(seconds * 1e6, 3) + " µs";
  if (seconds < 0.9995) return format_number(seconds * 1e3, 3) + " ms";
  if (seconds < 59.95) return format_number(seconds, 3) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) {
    return whole % 60 == 0 ? fmt::format("{} min", whole / 60)
                           : fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  const std::int64_t minutes = (whole + 30) / 60;
  return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                           : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string format_percent(double share, int decimals) {
  if (!std::isfinite(share)) return absent_or_infinite(share);
  return format_fixed(100 * share, decimals) + " %";
}

std::string format_unit(double value, const std::string& unit) {
  if (!std::isfinite(value)) return absent_or_infinite(value);
  if (unit == "bytes" || unit == "B") return format_bytes(value);
  return unit.empty() || unit == "1" ? format_number(value) : format_number(value) + " " + unit;
}

namespace {

// A step of 1, 2, 2.5 or 5 times a power of ten that puts at most about `wanted` multiples into `width`.
double nice_step(double width, int wanted) {
  const double rough = width / std::max(1, wanted);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

bool is_range(double minimum, double maximum) {
  return std::isfinite(minimum) && std::isfinite(maximum) && maximum > minimum;
}

}  // namespace

std::vector<Tick> nice_ticks(double minimum, double maximum, int wanted) {
  std::vector<Tick> ticks;
  if (!is_range(minimum, maximum)) return ticks;
  const double step = nice_step(maximum - minimum, wanted);
  // Two and a half of a power needs one digit more than the power.
  const int decimals =
      decimals_of(step) +
      (std::abs(step / std::pow(10, std::floor(std::log10(step))) - 2.5) < 1e-6 ? (step < 10 ? 1 : 0) : 0);
  const double slack = step * 1e-6;
  for (double i = std::ceil((minimum - slack) / step); i * step <= maximum + slack; ++i) {
    const double value = i * step;
    ticks.push_back({value, format_fixed(value, decimals)});
    if (ticks.size() > 1000) break;
  }
  return ticks;
}

std::vector<Tick> duration_ticks(double minimum_seconds, double maximum_seconds, int wanted) {
  std::vector<Tick> ticks;
  if (!is_range(minimum_seconds, maximum_seconds)) return ticks;
  const double rough = (maximum_seconds - minimum_seconds) / std::max(1, wanted);
  if (rough <= 1) {
    ticks = nice_ticks(minimum_seconds, maximum_seconds, wanted);
    for (Tick& tick : ticks) tick.label += " s";
    return ticks;
  }
  constexpr std::array<double, 15> kSteps = {1,   2,   5,   10,   15,   30,   60,   120,
                                             300, 600, 900, 1800, 3600, 7200, 21600};
  double step = 86400 * nice_step(std::max(rough / 86400, 1.0), 1);
  for (double candidate : kSteps) {
    if (candidate >= rough * (1 - 1e-9)) {
      step = candidate;
      break;
    }
  }
  for (double i = std::ceil(minimum_seconds / step - 1e-6); i * step <= maximum_seconds + step * 1e-6; ++i) {
    ticks.push_back({i * step, format_duration(i * step)});
  }
  return ticks;
}

Range nice_range(double minimum, double maximum, int wanted_ticks) {
  if (!std::isfinite(minimum) || !std::isfinite(maximum) || minimum > maximum) return {0, 1};
  if (minimum == maximum) {
    const double half = minimum == 0 ? 0.5 : std::abs(minimum) * 0.1;
    minimum -= half;
    maximum += half;
  }
  const double step = nice_step(maximum - minimum, wanted_ticks);
  return {std::floor(minimum / step + 1e-9) * step, std::ceil(maximum / step - 1e-9) * step};
}

}  // namespace sparsescope::viz
