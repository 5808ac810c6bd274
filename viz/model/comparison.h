// Runs beside one another: whether their numbers may be subtracted, what differs between them, and the
// difference of two maps. Views that compare ask here, so that none of them shows a difference that lies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/cells.h"
#include "viz/model/format.h"
#include "viz/model/query_frame.h"
#include "viz/model/run.h"
#include "viz/model/run_list.h"

namespace sparsescope::viz {

enum class Sameness { Same, Different, Unknown };

// What two runs share of that which makes their numbers comparable.
struct ComparisonCheck {
  Sameness tokenizer = Sameness::Unknown, data = Sameness::Unknown, probe_batch = Sameness::Unknown;
  bool is_reading = false;             // the probe batch or vocabulary is on its way: ask again next frame
  std::vector<std::string> sentences;  // for the banner: what differs or is not known, and what that forbids

  // Losses, perplexities and needle signals may be subtracted: nats per token of the same tokens.
  bool allows_losses() const { return tokenizer == Sameness::Same && data == Sameness::Same; }
  // Maps over positions and ids of the probe sequence may be subtracted.
  bool allows_maps() const { return tokenizer == Sameness::Same && probe_batch == Sameness::Same; }
};
// Reads what was recorded of the tokenizer, the text and the probe batch of both runs; of the probe batch at
// `step`, because a needle may have been injected into one of them.
ComparisonCheck comparable(Run& a, Run& b, std::uint64_t step);

// A run of a comparison and the letter it goes by: A is the pinned baseline, else the selected run.
struct ComparedRun {
  Run* run = nullptr;
  std::string letter;  // "A"
  std::string name;    // title and seed, told apart by a piece of the uuid where two runs share them
  bool is_selected = false, is_baseline = false;
};
// All runs that a picture shows, its own among them, A first, at most kMostRunsCompared. Empty when it shows
// only its own; runs that were closed are left out.
std::vector<ComparedRun> compared_runs(const QueryFrame& frame);
// Every open run beside the others, as far as they may be shown: for runs that were opened together.
Comparison all_beside(const Timeline& timeline);
// The pinned baseline when it is another run than the picture's own, else nullptr.
Run* baseline_run(const QueryFrame& frame);
// The step of `other` at the cursor's place on the time axis, or its last before it: time is locked by steps,
// tokens, wall time or relative steps, as the axis says.
std::uint64_t locked_step(const QueryFrame& frame, const Run& other);
// The frame for the lines of another run: at its own newest step while the cursor follows, so that a line's
// end and its value agree, else at the locked one. Without comparison, so that nothing recurses.
QueryFrame frame_of(const QueryFrame& frame, Run& other);

// What stands on top of a comparison.
struct ComparisonBanner {
  std::vector<ComparedRun> runs;       // as compared_runs()
  std::vector<ConfigChange> changes;   // from A to the selected run, or to the first other when that is A
  std::string config;                  // "A → B: data.corpus headers → tinyshakespeare.txt, 2 more"
  std::vector<std::string> sentences;  // what forbids differences, with the letters of the runs
  bool is_reading = false;
  bool is_empty() const { return runs.empty(); }
};
ComparisonBanner comparison_banner(const QueryFrame& frame);
// The banner as lines of a twin: a run each, the configuration, what forbids differences.
std::vector<std::string> lines_of(const ComparisonBanner& banner);

// B - A of two maps of one shape.
struct MapDifference {
  CellsPtr a, b, delta;
  Range limits{-1, 1};  // symmetric around 0; of width 2 when nothing differs
};
// Throws Error when the shapes differ: their axes then mean different things.
MapDifference map_difference(CellsPtr a, CellsPtr b);
// The tooltip of a cell: "A 0.31, B 0.52, Δ +0.21".
std::string difference_in_words(double a, double b, const std::string& unit);
// +0.21, −0.21, 0: a difference always has its sign.
std::string format_signed(double value, int significant = 4);

}  // namespace sparsescope::viz
