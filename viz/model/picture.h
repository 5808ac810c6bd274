// What a view shows, as plain data: stacked tracks of lines and areas on one time axis, with the words around
// them. Views draw it, the text twin prints it; both from the same value, so they cannot disagree. No
// colours, no pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/comparison.h"
#include "viz/model/picture_head.h"
#include "viz/model/run.h"
#include "viz/model/series.h"
#include "viz/model/timeline.h"

namespace sparsescope::viz {

// What a mark stands for; the view looks up its colour.
enum class Ink { Run, Text, Muted, Accent, Direct, Inherited, Fallback, Self, Ramp, Part };
enum class Dash { Solid, Dashed, Dotted };
enum class Weight { Normal, Faint, Strong };

// One pixel column of a line: what its samples look like, at the place of the last of them.
struct Column {
  double x = 0;
  std::uint64_t step = 0;
  Bucket bucket;
  bool is_within_spread = false;  // no further from the other arm than seeds of one arm lie apart
};

struct LinePicture {
  std::string label;  // "layer 3"; short, it stands at the line's end
  Ink ink = Ink::Run;
  double place = 0;  // Ramp: 0..1 along it; Part: which part, 0, 1, 2, ...
  Dash dash = Dash::Solid;
  Weight weight = Weight::Normal;
  std::optional<std::int64_t> layer;  // a click selects it
  bool has_dots = false;              // few samples: each is marked
  // Minimum and maximum of a column lie one standard error below and above its last value. Drawn as bars; a
  // value within two errors of 0 has a hollow dot.
  bool has_errors = false;
  bool is_spread = false;            // from the lowest to the highest seed of one arm: a band, no line
  std::optional<std::uint32_t> run;  // whose line it is; nothing: the picture's
  std::vector<Column> columns;       // rising x; columns without a sample are absent
  double at_cursor = 0;              // value of the latest sample at or before the cursor; NaN: none
};

struct AreaPicture {
  std::string label;
  Ink ink = Ink::Direct;
  double place = 0;
  Dash dash = Dash::Solid;  // of its upper edge: no meaning by colour alone
  struct Slice {
    double x = 0;
    std::uint64_t step = 0;
    double lower = 0, upper = 0;  // NaN: a gap
  };
  std::vector<Slice> slices;
  double at_cursor = 0;  // its own thickness
};

// Samples that are no numbers. Drawn as a red tick, never as a value.
struct InvalidMark {
  double x = 0;
  std::uint64_t step = 0;  // of the first one in its pixel column
  std::uint64_t samples = 0;
};

// A line across a track. With a control it can be dragged while a trainer is attached.
struct LevelMark {
  double y = 0;  // not a number: not in force
  std::string words;
  Ink ink = Ink::Muted;
  Weight weight = Weight::Normal;
  std::string control;  // name of the live control that holds it; empty: fixed
  double none = 0;      // the control's value that means "not in force"
  // A level that a person sets: the command that asks for it, which dragging runs. It asks for y times
  // `per_unit`, in `unit`: densities are set in percent.
  std::string command = {};
  double per_unit = 1;
  std::string unit = {};
};

// Where a layer's line first passes a level; the line's label and ink are those of the layer's.
struct CrossingMark {
  std::int64_t layer = 0;
  bool is_found = false;           // false: it never passes, or has no sample; `words` say which
  bool is_from_the_start = false;  // its first sample lies beyond the level already
  std::uint64_t step = 0;
  double x = 0, y = 0;
  std::string words;  // "direct first above 20 % in layer 3 at step 30"
};

// Whether two arms differ by more than the seeds of one of them, at the cursor.
struct SpreadNote {
  std::vector<std::uint32_t> runs;  // of the arm that is not A's
  bool is_inside = false;
  std::string words;  // "B train lies inside the seed spread of A+C, 4.1 to 4.2 nats"
};

struct TrackPicture {
  std::string id;                // "theta_sigmas"; settings and tests name tracks by it
  std::string title, detail;     // "θ by layer", "in standard deviations of the scores"
  std::string unit;              // of the y axis; empty: a plain number
  std::string help;              // formula, unit and averaging, lines
  Range y{0, 1};                 // fits what is visible
  std::optional<Range> y_fixed;  // instead of fitting: densities 0..1
  double share = 1;              // of the height, beside the other tracks
  bool is_logarithmic = false;
  std::vector<AreaPicture> areas;  // bottom up
  std::vector<LinePicture> lines;
  std::vector<LevelMark> levels;
  std::vector<CrossingMark> crossings;
  std::vector<InvalidMark> invalid;
  std::uint64_t invalid_samples = 0;  // in the whole run
  std::uint64_t first_invalid_step = 0;
  std::vector<SpreadNote> spreads;
  std::string missing;  // nothing to draw here: why, one sentence
  bool has_marks() const { return !lines.empty() || !areas.empty(); }
};

struct FlagMark {
  double x = 0;
  std::uint64_t step = 0;
  std::string words;  // "sparsity weight 0 → 0.1"
  bool is_warning = false;
};

struct GapMark {
  double from = 0, to = 0;
  std::uint64_t frames = 0;  // 0: not known how many
  std::string words;         // "3 samples dropped by budget"
  bool is_wide = false;      // lines break here; narrow ones, and several folded into one, are only hatched
};

struct Picture : PictureHead {
  ComparisonBanner banner;  // empty: only its own run is shown
  TimeAxis axis = TimeAxis::Step;
  Range x{0, 1};        // visible part of the time axis
  Range whole_x{0, 1};  // where to go when the person lets go of a chosen range
  double cursor_x = 0;
  std::vector<TrackPicture> tracks;
  std::vector<FlagMark> flags;
  std::vector<GapMark> gaps;
};

Table table(const Picture& picture);
// With what is missing, every flag and every gap as lines of their own.
Twin twin_of(const Picture& picture);

const char* axis_title(TimeAxis axis);          // "step", "tokens", "wall time", "relative step"
std::string format_x(double x, TimeAxis axis);  // "1,236", "2.41 M tokens", "3 min 20 s"
std::vector<Tick> axis_ticks(Range range, TimeAxis axis, int wanted);

}  // namespace sparsescope::viz
