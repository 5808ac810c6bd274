// Two panes side by side: which run and which step each shows, and their words. Nothing is drawn here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/comparison.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

inline constexpr const char* kPickSecondRun = "Pick a second run";

struct Pane {
  Run* run = nullptr;
  std::optional<std::uint64_t> step;  // nothing: the cursor's
  std::string letter, words;          // "A", "spark, seed 1, step 200"
};

struct Pairing {
  std::optional<Pane> own, beside;  // beside: nothing was chosen yet
  bool is_own_first = true;         // A stands on the left
  ComparisonBanner banner;          // of two runs; empty for two steps
};

// The run of the frame beside the pinned baseline or the first run it is compared with, at the same place of
// the time axis; or beside itself at `beside_step`.
Pairing pairing(const QueryFrame& frame, std::optional<std::uint64_t> beside_step);

// The twins of the panes that are shown as one: lines and rows carry the letter of their side. While no
// second run was picked it says so.
Twin paired_twin(const Pairing& pairing, const std::optional<Twin>& own, const std::optional<Twin>& beside);

}  // namespace sparsescope::viz
