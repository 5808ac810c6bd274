// The difference of two evaluations of the needle, B - A, cell by cell: of the selected run and the pinned
// baseline, or of two steps of one run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/needle_stats.h"

namespace sparsescope::viz {

struct NeedleRun;
struct NeedlePicture;

// One context and depth: B - A of the signal, in the unit of the picture. Its error is √(SE_A² + SE_B²), as
// of independent trials: the trials are the same texts, so where both rise and fall together it is too large.
struct NeedleDelta {
  double a = std::numeric_limits<double>::quiet_NaN(), b = std::numeric_limits<double>::quiet_NaN();
  double standard_error = std::numeric_limits<double>::quiet_NaN();
  std::int64_t trials = 0;  // the fewer of both
  double delta() const { return b - a; }
  bool is_known() const { return delta() == delta(); }
  bool is_beyond_error() const { return is_distinguishable(delta(), standard_error); }
};

struct NeedleDifference {
  bool is_wanted = false;
  std::string missing;  // why nothing is subtracted; empty: something is
  std::string a, b;     // "A at step 100", "B at step 300"; B is the picture's own run
  std::vector<std::vector<NeedleDelta>> cells;  // by context and depth, as those of B
  Range limits{-1, 1};                          // symmetric around 0
  double data_limit = 0;                        // end of the colours as the data alone have it; 0: no change
  std::string whose;                            // in words, when the limits are not those of the data
  bool is_shown() const { return is_wanted && missing.empty(); }
};

// The picture's own run minus `before`, of the same labels in both; cells that only one of them has are not
// known.
NeedleDifference needle_difference(const NeedlePicture& picture, const NeedleRun& before);
// "B − A: 3 of 12 cells beyond 2 SE, the strongest +0.42 ± 0.03 nats at 4x, depth 0.5".
std::string difference_in_words(const NeedlePicture& picture);
// The difference and its error as they stand in a cell: nats, or points of the ceiling.
std::pair<std::string, std::string> shown_delta(const NeedlePicture& picture, const NeedleDelta& delta);
// "A −0.10, B +0.32, Δ +0.42 ± 0.03 nats, within 2 SE of 0".
std::string delta_in_words(const NeedlePicture& picture, const NeedleDelta& delta);

}  // namespace sparsescope::viz
