// Needle retrieval: does a rare text seen once help to predict its second occurrence, by depth, context
// length and training step. What the view shows is decided here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/comparison.h"
#include "viz/model/needle_difference.h"
#include "viz/model/needle_stats.h"
#include "viz/model/picture.h"
#include "viz/model/query.h"

namespace sparsescope::viz {

enum class NeedleAccuracy { WholeAnswers, AnswerTokens };

struct NeedleSettings {
  bool as_share = false;  // of the loss without the needle, its ceiling, instead of nats
  NeedleAccuracy accuracy = NeedleAccuracy::WholeAnswers;
  bool show_difference = false;    // the grid shows B - A of the signal instead of answers found
  std::int64_t against_step = -1;  // A is this run at that step; -1: A is the pinned baseline run
  double limit = 0;  // end of the difference's colours, in the unit of the picture; 0: that of the data
  double common_limit =
      0;  // of this picture and others it is seen with; 0: none. A limit of its own goes before
  bool operator==(const NeedleSettings&) const = default;
};

// One context length of one run, from the latest evaluation of it at or before the cursor.
struct NeedleContext {
  std::string label;                  // "4x", multiples of the training context
  std::int64_t tokens = 0;            // 0: the experiment does not say
  std::optional<std::uint64_t> step;  // of that evaluation; nothing: never evaluated up to here
  std::vector<NeedleCell> cells;      // by depth
  NeedleMean mean;
  std::string missing;  // why there is nothing: "not evaluated", "out of memory: …"
};

struct NeedleRun {
  std::uint32_t run = 0;
  std::string letter;  // of a comparison; empty: the only run
  std::vector<std::string> depth_labels;
  std::vector<double> depths;  // 0 at the start of the context, 1 at its end
  std::vector<NeedleContext> contexts;
};

// The needle that a command put into probe sequence 0, in force at `step`; nothing: there is none.
struct InjectedNeedle {
  std::uint64_t step = 0;               // of the injection
  double depth = 0;                     // 0 at the start, 1 at the end
  std::vector<std::int64_t> positions;  // first tokens of its copies
};
std::optional<InjectedNeedle> injected_needle(const Run& run, std::uint64_t step);

// tracks[0] is the signal over training steps, a line each context and run.
struct NeedlePicture : Picture {
  std::vector<NeedleRun> runs;          // the picture's own first
  bool may_subtract = false;            // the baseline's accuracies from these
  std::optional<std::size_t> baseline;  // its place in `runs`
  bool as_share = false;
  NeedleAccuracy accuracy = NeedleAccuracy::WholeAnswers;
  Range signal_y{-1, 1};  // of the curves by depth; always with 0 inside
  std::string unit;       // of the signal: "nats", or "of the ceiling"
  NeedleDifference difference;
  std::optional<InjectedNeedle> injected;
  std::vector<int> scheduled;  // multiples that "evaluate now" takes
};
NeedlePicture needle_query(const QueryFrame& frame, const NeedleSettings& settings);
Twin twin_of(const NeedlePicture& picture);

// The signal of a cell or a mean in the unit of the picture, and its error.
double shown(const NeedlePicture& picture, double nats, double nll_without);
double accuracy_of(const NeedlePicture& picture, const NeedleCell& cell);
// "+0.42 ± 0.03 nats"; "—" when not evaluated.
std::string signal_in_words(const NeedlePicture& picture, double signal, double standard_error,
                            double nll_without);
// "25 % [7, 59], 8 trials".
std::string accuracy_in_words(double share, std::int64_t trials);
// "At step 300: 1x −0.013 ± 0.011 nats, not distinguishable from 0; 16x not evaluated".
std::string needle_in_words(const NeedlePicture& picture);

}  // namespace sparsescope::viz
