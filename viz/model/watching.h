// What watching a run costs its training, as recorded in the channel `watching`: estimated between checks,
// measured by windows with and without, against a budget. Live and replayed alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/run.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

enum class WatchingState {
  NotRecorded,  // the run has no such channel, or no row up to here
  Paused,       // nothing is watched: it costs nothing and shows nothing
  Measuring,    // neither measured nor estimated yet
  Estimated,
  Measured  // probes, at the cadence in force; text samples have a time of their own
};

// Percent of training time unless named otherwise; nothing: not measured, or not recorded.
struct WatchingFacts {
  WatchingState state = WatchingState::NotRecorded;
  std::uint64_t step = 0;        // of the row
  std::optional<double> budget;  // 0: none
  std::optional<double> estimated, measured, measured_spread, measured_step, window_steps;
  std::optional<double> probes, samples, copies, recording;
  std::optional<double> cadence, base_cadence;            // steps between probes: in force, and as configured
  std::optional<double> text_cadence, base_text_cadence;  // the same of scheduled texts; 0: none are
  std::optional<double> detail;                           // 1: all is probed; 0: edges are left out
  std::optional<double> drops, text_drops;                // due probes and texts left out so far
  std::optional<double> probe_ms, step_ms;

  // What the meter shows: probes as measured, where that was done at the cadence in force, and text samples;
  // else the estimate of both.
  std::optional<double> cost() const {
    return state == WatchingState::Measured ? std::optional(*measured + samples.value_or(0)) : estimated;
  }
  bool is_over_budget() const { return budget && *budget > 0 && cost() && *cost() > *budget; }
};

// The row at or before `step`.
WatchingFacts watching_facts(const Run& run, std::uint64_t step);

// "1.3 %", "≈ 1.3 %" while it is an estimate, "measuring", "paused", "—".
std::string watching_value(const WatchingFacts& facts);
// What the budget made the trainer do: "every 20 steps instead of 10, edges left out", or that nothing.
std::string watching_measures(const WatchingFacts& facts);

// The rows of the popover: what, how much, and why it is so.
struct WatchingRow {
  std::string label, value, detail;
};
// `view_share`: of one processor, by this window's own thread; nothing: not measured.
std::vector<WatchingRow> watching_rows(const WatchingFacts& facts,
                                       std::optional<double> view_share = std::nullopt);
Twin watching_twin(const WatchingFacts& facts, std::optional<double> view_share = std::nullopt);

}  // namespace sparsescope::viz
