// What a run came to, as named numbers: the last values of what its views show, by the definitions of those
// views. And what many runs came to: mean and spread. No words about them, no comparison of arms.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "viz/model/query_frame.h"

namespace sparsescope::viz {

struct OutcomeNumber {
  std::string name;                                         // "held-out loss"
  std::string unit;                                         // "nats", "1"
  double value = std::numeric_limits<double>::quiet_NaN();  // not a number: not evaluated
};

// At the cursor: held-out loss, perplexity, bits per byte, needle signal (mean over depths) of each context;
// of a model with thresholds also direct and fallback density and theta, as means over layers from 1 on,
// which is what the density and drift views start with. A quantity that the run does not record is left out.
std::vector<OutcomeNumber> run_outcome(const QueryFrame& frame);

// Of the numbers that are finite.
struct Spread {
  std::size_t count = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double deviation = std::numeric_limits<double>::quiet_NaN();  // of a sample; not a number below two
};
Spread spread_of(std::span<const double> values);
// "29.93 ± 0.21" to the digits that the spread leaves; of one number the number; of none a dash.
std::string spread_in_words(const Spread& spread);

}  // namespace sparsescope::viz
