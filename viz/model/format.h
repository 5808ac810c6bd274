// Numbers as people read them: thousands separated, units, durations, axis ticks. One place, so that screen,
// tables and the command line agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sparsescope::viz {

inline constexpr const char* kAbsent = "—";

std::string format_count(std::int64_t value);                  // 12,345
std::string format_number(double value, int significant = 4);  // 3.142, 12,346, 1.2e-05, "—" for NaN, "∞"
std::string format_fixed(double value, int decimals);          // 1,234.50
std::string format_quantity(double value);                     // 2.41 M, 512, 3.1 k
std::string format_bytes(double bytes);                        // 18.2 MiB
std::string format_duration(double seconds);                   // 40 ms, 12.3 s, 3 min 20 s, 2 h 05 min
std::string format_percent(double share, int decimals = 0);    // 0.71 -> 71 %
std::string format_unit(double value, const std::string& unit);  // 3.142 nats; unit "1" or "" adds nothing

struct Tick {
  double value = 0;
  std::string label;
};
// About `wanted` round positions inside [minimum, maximum], rising, with labels of one common precision.
std::vector<Tick> nice_ticks(double minimum, double maximum, int wanted);
// The same for seconds: 0, 30 s, 1 min, ...
std::vector<Tick> duration_ticks(double minimum_seconds, double maximum_seconds, int wanted);
// [minimum, maximum] widened to round ends, so that a line never lies on the frame.
struct Range {
  double minimum = 0, maximum = 1;
  double width() const { return maximum - minimum; }
  bool contains(double value) const { return value >= minimum && value <= maximum; }
  bool operator==(const Range&) const = default;
};
Range nice_range(double minimum, double maximum, int wanted_ticks);

}  // namespace sparsescope::viz
