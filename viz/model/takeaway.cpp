#include "viz/model/takeaway.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string span_in_words(std::int64_t first, std::int64_t last) {
  if (first == last) return std::to_string(first);
  return std::to_string(first) + (last == first + 1 ? " and " : "–") + std::to_string(last);
}

// Two digits that count: 0.21, 1.3, 12.
std::string rate(double value) { return format_number(std::abs(value), 2); }

// "0.21" or "0.12 to 0.21" when they differ by more than half.
std::string rates(const std::vector<LayerSlope>& slopes) {
  double least = std::numeric_limits<double>::infinity(), most = 0, sum = 0;
  for (const LayerSlope& slope : slopes) {
    least = std::min(least, std::abs(slope.per_thousand));
    most = std::max(most, std::abs(slope.per_thousand));
    sum += std::abs(slope.per_thousand);
  }
  return most > 1.5 * least ? rate(least) + " to " + rate(most)
                            : rate(sum / static_cast<double>(slopes.size()));
}

std::vector<std::int64_t> layers_of(const std::vector<LayerSlope>& slopes) {
  std::vector<std::int64_t> layers;
  for (const LayerSlope& slope : slopes) layers.push_back(slope.layer);
  return layers;
}

}  // namespace

double slope_per_thousand(std::span<const Column> columns, std::uint64_t from_step, std::uint64_t to_step) {
  double n = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  double origin = 0;
  for (const Column& column : columns) {
    if (column.step < from_step || column.step > to_step || !column.bucket.has_value()) continue;
    if (n == 0) origin = static_cast<double>(column.step);
    const double x = static_cast<double>(column.step) - origin, y = column.bucket.last;
    n += 1;
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const double spread = n * sum_xx - sum_x * sum_x;
  if (n < 3 || spread <= 0) return kUnknown;
  return 1000 * (n * sum_xy - sum_x * sum_y) / spread;
}

std::string layers_in_words(const std::vector<std::int64_t>& some, std::int64_t layers) {
  if (some.empty()) return "no layer";
  if (static_cast<std::int64_t>(some.size()) == layers && layers > 1) return "all layers";
  std::vector<std::string> spans;
  for (std::size_t i = 0; i < some.size();) {
    std::size_t end = i + 1;
    while (end < some.size() && some[end] == some[end - 1] + 1) ++end;
    // Two neighbours among others read better apart: "0, 2 and 3".
    if (end - i == 2 && !(i == 0 && end == some.size())) {
      spans.push_back(std::to_string(some[i]));
      spans.push_back(std::to_string(some[i + 1]));
    } else {
      spans.push_back(span_in_words(some[i], some[end - 1]));
    }
    i = end;
  }
  std::string words = some.size() == 1 ? "layer " : "layers ";
  for (std::size_t i = 0; i < spans.size(); ++i)
    words += (i == 0 ? "" : i + 1 == spans.size() ? " and " : ", ") + spans[i];
  return words;
}

std::string slopes_in_words(std::span<const LayerSlope> slopes, double span_steps, double hold) {
  double fastest = 0;
  for (const LayerSlope& slope : slopes) {
    if (std::isfinite(slope.per_thousand)) fastest = std::max(fastest, std::abs(slope.per_thousand));
  }
  std::vector<LayerSlope> falling, rising, holding;
  for (const LayerSlope& slope : slopes) {
    if (!std::isfinite(slope.per_thousand)) continue;
    const double moved = std::abs(slope.per_thousand) * span_steps / 1000;
    const bool holds = moved < hold || (std::abs(slope.per_thousand) < 0.1 * fastest && moved < 10 * hold);
    (holds ? holding : slope.per_thousand < 0 ? falling : rising).push_back(slope);
  }
  const auto layers = static_cast<std::int64_t>(slopes.size());
  std::string words;
  const auto moves = [&](const char* first, const char* next, const std::vector<LayerSlope>& group) {
    if (group.empty()) return;
    words += (words.empty() ? first : next) + rates(group) + " per 1,000 steps in " +
             layers_in_words(layers_of(group), layers);
  };
  moves("Falling ", "; falling ", falling);
  moves("Rising ", "; rising ", rising);
  if (!holding.empty()) {
    std::string who = layers_in_words(layers_of(holding), layers);
    if (words.empty()) who[0] = static_cast<char>(who[0] - 'a' + 'A');
    words += (words.empty() ? "" : "; ") + who + (holding.size() == 1 ? " holds" : " hold");
  }
  return words;
}

std::string density_in_words(const DensityFacts& facts) {
  if (!std::isfinite(facts.now)) return {};
  std::string words = format_fixed(facts.now, 2) + " now";
  if (std::isfinite(facts.start)) words += ", " + format_fixed(facts.start, 2) + " at the start";

  struct Part {
    double value;
    const char* name;
  };
  const auto largest = [](double direct, double inherited, double fallback) {
    const Part parts[] = {
        {direct, "direct declarations"}, {inherited, "inheritance"}, {fallback, "the fallback window"}};
    return *std::max_element(std::begin(parts), std::end(parts),
                             [](const Part& a, const Part& b) { return a.value < b.value; });
  };
  if (std::isfinite(facts.start) && facts.start > 0.005) {
    const Part part = largest(facts.start_direct, facts.start_inherited, facts.start_fallback);
    const double share = part.value / facts.start;
    if (share > 0.98) {
      words += "; " + std::string(part.name) + " made all of the first " + format_fixed(facts.start, 2);
    } else if (share > 0.5) {
      words += "; " + std::string(part.name) + " made " + format_percent(share) + " of the first " +
               format_fixed(facts.start, 2);
    }
  }
  if (facts.now > 0.005) {
    const Part part = largest(facts.now_direct, facts.now_inherited, facts.now_fallback);
    if (part.value / facts.now > 0.5)
      words += "; " + std::string(part.name) + " make" + (part.name[0] == 'd' ? " " : "s ") +
               format_percent(part.value / facts.now) + " of it now";
  }
  return words;
}

std::string loss_in_words(const LossFacts& facts) {
  std::string words;
  if (std::isfinite(facts.now)) {
    words = format_fixed(facts.now, 3) + " nats per token" + (facts.is_smoothed ? ", smoothed," : "") +
            " at step " + format_count(static_cast<std::int64_t>(facts.step));
    if (std::isfinite(facts.per_thousand)) {
      const bool moves = std::abs(facts.per_thousand) >= 0.005;
      words += !moves ? ", level"
                      : (facts.per_thousand < 0 ? ", falling " : ", rising ") + rate(facts.per_thousand) +
                            " per 1,000 steps";
      words += facts.slope_span;
    }
  }
  if (std::isfinite(facts.held_out))
    words += (words.empty() ? "Held-out " : "; held-out ") + format_fixed(facts.held_out, 3);
  if (facts.invalid_samples > 0) {
    words += (words.empty() ? "Not a number in " : "; not a number in ") +
             format_count(static_cast<std::int64_t>(facts.invalid_samples)) + " samples since step " +
             format_count(static_cast<std::int64_t>(facts.first_invalid_step));
  }
  return words;
}

}  // namespace sparsescope::viz
