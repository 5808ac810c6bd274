// The statistics of needle trials (mechanisms.md 6.1, 6.2, 6.10) on plain numbers: intervals of shares, means
// over depths, and what may be told apart from 0.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "viz/model/format.h"

namespace sparsescope::viz {

inline constexpr double kDistinguishable = 2;      // standard errors from 0
inline constexpr std::int64_t kEnoughTrials = 20;  // of a cell: below it a share is hatched

// The 95 % Wilson interval of a share of `trials`; NaN limits for none.
Range wilson_interval(double share, std::int64_t trials);

// One context and depth as recorded; not a number: not evaluated there.
struct NeedleCell {
  double signal = std::numeric_limits<double>::quiet_NaN();  // nats per answer token
  double standard_error = std::numeric_limits<double>::quiet_NaN();
  double nll_without = std::numeric_limits<double>::quiet_NaN();  // the ceiling of the signal
  double token_accuracy = std::numeric_limits<double>::quiet_NaN();
  double exact_accuracy = std::numeric_limits<double>::quiet_NaN();
  std::int64_t trials = 0;

  bool is_evaluated() const { return trials > 0 && signal == signal; }
  bool has_enough_trials() const { return trials >= kEnoughTrials; }
};

// A signal with its error. One trial has no error, so nothing is told apart from 0 by it.
struct NeedleMean {
  double signal = std::numeric_limits<double>::quiet_NaN();
  double standard_error = std::numeric_limits<double>::quiet_NaN();
  double nll_without = std::numeric_limits<double>::quiet_NaN();
  std::int64_t trials = 0;  // of all depths together
  bool is_known() const { return signal == signal; }
};
bool is_distinguishable(double signal, double standard_error);
// Both numbers to the digits that the error leaves: "+0.42" and "0.03".
std::pair<std::string, std::string> rounded_to_error(double value, double error);
// Unweighted over the depths that were evaluated; its error is sqrt(sum SE_d^2) / |D|.
NeedleMean mean_over_depths(std::span<const NeedleCell> cells);

}  // namespace sparsescope::viz
