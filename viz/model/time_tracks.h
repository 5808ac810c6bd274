// What the timeline shows, as plain data: small charts of any recorded number, lanes of what happened with
// neighbours folded into one mark, and how much happened where. Nothing is scanned from end to end a frame.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/run.h"

namespace sparsescope::viz {

// --- folding: marks nearer than this many pixels (at scale 1) become one with a count ---
inline constexpr double kFoldPixels = 3;

struct FoldedMark {
  std::size_t begin = 0, end = 0;  // of the items it stands for
  double x = 0;                    // of the first, on the time axis
  double last_x = 0;               // of the last
  std::size_t count() const { return end - begin; }
  bool operator==(const FoldedMark&) const = default;
};
// The items of 0..size-1, whose places `x_of` never fall, that lie in `shown`. Each mark begins at least
// `fold` behind the one before it, so there are at most shown.width() / fold + 1 of them; asks `x_of` a
// logarithmic number of times per mark. `fold` in units of the axis.
std::vector<FoldedMark> fold_marks(std::size_t size, const std::function<double(std::size_t)>& x_of,
                                   const Range& shown, double fold);

// --- lanes: the events of a run by what they are ---
enum class Lane { Alerts, Commands, Evaluations, Checkpoints, Other };
inline constexpr std::size_t kLanes = 5;
const char* lane_name(Lane lane);
Lane lane_of(const Event& event);

// Which events stand in which lane; kept up as events come.
class EventLanes {
 public:
  void update(const Run& run);
  // Positions in run.events(), rising.
  const std::vector<std::uint32_t>& of(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)]; }
  std::vector<FoldedMark> folded(const Run& run, Lane lane, TimeAxis axis, const Range& shown,
                                 double fold) const;

 private:
  std::array<std::vector<std::uint32_t>, kLanes> lanes_;
  std::size_t seen_ = 0;
};

// Events in each of `bins` equal stretches of `range`.
std::vector<std::size_t> event_density(const Run& run, TimeAxis axis, const Range& range, std::size_t bins);

// --- charts ---
// One element of a light channel, or the mean over all of its first axis.
struct ChartChoice {
  std::string channel;              // "threshold"
  std::vector<std::string> labels;  // {"theta"}: behind the first axis when `is_mean`; else all of them
  bool is_mean = false;
  bool operator==(const ChartChoice&) const = default;
};
// "cross entropy", "threshold, theta, mean over layer", "density, layer 3, direct".
std::string words_of(const ChartChoice& choice);
// Everything of this schema that can be a chart: light channels of one or two axes.
std::vector<ChartChoice> chart_choices(const Run& run);
// Loss, and the mean threshold where there is one.
std::vector<ChartChoice> default_charts(const Run& run);

struct ChartPoint {
  double x = 0;
  double value = 0;                 // the last of its pixel column
  double minimum = 0, maximum = 0;  // of the column; equal to `value` for a mean
};
struct Chart {
  std::vector<ChartPoint> points;
  Range values{0, 1};             // of all points
  std::optional<double> present;  // at the cursor: the latest sample at or before `step`
  std::string unit;
  bool is_recorded = false;  // the run has this channel
};
// What the choice says at the latest sample at or before `step`.
std::optional<double> value_at(const Run& run, const ChartChoice& choice, std::uint64_t step);
Chart chart_of(const Run& run, const ChartChoice& choice, TimeAxis axis, const Range& shown,
               std::size_t columns, std::uint64_t step);

// --- what is not there ---
struct MissingSpan {
  enum class Kind { Skipped, Damaged };
  Kind kind = Kind::Skipped;
  double first = 0, last = 0;  // on the axis
  std::string words;           // "12 frames between step 40 and 52 did not reach the screen"
};
// Frames that were dropped or not recorded, and what lies behind the last frame of a recording that lost its
// end.
std::vector<MissingSpan> missing_spans(const Run& run, TimeAxis axis);
// The same with neighbours of one kind that are nearer than `fold` as one, its words counting the others.
std::vector<MissingSpan> fold_spans(std::vector<MissingSpan> spans, double fold);

}  // namespace sparsescope::viz
