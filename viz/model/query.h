// From a timeline and a view's settings to the picture of that view. What each view shows is decided here,
// not in ImGui code; the command line describes a recording with the same functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/crossing.h"
#include "viz/model/picture.h"
#include "viz/model/query_frame.h"
#include "viz/model/takeaway.h"
#include "viz/model/timeline.h"

namespace sparsescope::viz {

// Smoothing is one switch for all charts.
struct Smoothing {
  bool is_on = true;
  double window = 5;  // samples, the average age of what the line remembers
  bool operator==(const Smoothing&) const = default;
};

inline constexpr int kColumnsPerTrack = 9000;  // over all its lines: keeps a picture below 200,000 vertices
inline constexpr int kMostColumns = 1200;      // of one line

struct LossSettings {
  Smoothing smoothing;
  bool show_perplexity = true, show_gradient = true, show_learning_rate = true, show_throughput = true,
       show_time_split = true, show_memory = false;
  bool is_loss_logarithmic = false;
  bool groups_seeds = false;  // compared runs that differ only in their seed become median and band
  bool operator==(const LossSettings&) const = default;
};
Picture loss_query(const QueryFrame& frame, const LossSettings& settings);

struct LayerSpan {
  std::int64_t first = 0, last = -1;  // last -1: the last layer there is
  bool operator==(const LayerSpan&) const = default;
};

// What of the density is looked at layer by layer: one of the channel's labels.
enum class DensityPart { Direct, Inherited, Fallback, Scope };
const char* label_of(DensityPart part);

struct DensitySettings {
  LayerSpan layers{1, -1};  // mean over these; layer 0 apart, because it often does not densify
  bool show_expected = true;
  bool show_layers = true;  // a line each layer, and where each first passes the level
  DensityPart part = DensityPart::Direct;
  double level_percent = 20;
  bool operator==(const DensitySettings&) const = default;
};
Picture density_query(const QueryFrame& frame, const DensitySettings& settings);
// Where each layer's part first lies above the level, over everything that the run has recorded so far.
std::vector<LayerCrossing> density_crossings(const Run& run, const DensitySettings& settings);
CrossingWords density_crossing_words(const DensitySettings& settings);

struct DriftSettings {
  bool show_theta = false;     // in the scores' own unit, beside θ in standard deviations
  bool show_crossing = false;  // where θ of each layer first passes `level_sigmas`
  double level_sigmas = 2;
  bool show_density = true, show_empty_rows = true, show_loss = true;
  DensitySettings density;
  Smoothing smoothing;
  bool operator==(const DriftSettings&) const = default;
};
Picture drift_query(const QueryFrame& frame, const DriftSettings& settings);
// Where each layer's θ first lies beyond the level: below it when most layers start above it, else above it.
struct ThetaCrossings {
  CrossingWords words;
  std::vector<LayerCrossing> layers;
};
ThetaCrossings theta_crossings(const Run& run, const DriftSettings& settings);

// Pieces the queries share.
// A head for the light channel `channel`, with time axis, cursor, gaps, flags and limits.
Picture begin_picture(const QueryFrame& frame, const std::string& view, const std::string& channel);
// First sample of each pixel column of the visible part, and the end; one sample beyond each border is
// included so that lines reach it. Empty columns are left out. `lines` share the track's columns.
std::vector<std::size_t> column_boundaries(const QueryFrame& frame, const Track& track, std::size_t lines);
// One line through a light channel's element, or through its smoothed companion: places come from `track`.
LinePicture line_of(const QueryFrame& frame, const Track& track, const Series& values,
                    const std::vector<std::size_t>& boundaries);
// Counts the samples of a series that are no numbers into the picture, one mark a pixel column.
void mark_invalid(const Run& run, const Track& track, const Series& values,
                  const std::vector<std::size_t>& boundaries, TimeAxis axis, TrackPicture& picture);
// Fits y to the marks there are.
void fit_y(TrackPicture& picture);
// Value of the latest sample at or before the cursor; NaN when there is none.
double value_at_cursor(const QueryFrame& frame, const Track& track, const Series& values);
// First and last step of the span that statistics are about: the brush or the visible part, up to the cursor.
struct StepSpan {
  std::uint64_t first = 0, last = 0;
};
StepSpan statistics_span(const QueryFrame& frame);
// " over steps 50 to 100" when a person brushed a span, else empty.
std::string span_in_words(const QueryFrame& frame);
// Number of layers of a [layer, ...] channel, and a layer span cut to them.
std::int64_t layers_of(const Run& run, const Track& track);
LayerSpan cut_span(LayerSpan span, std::int64_t layers);
// The training loss with its smoothed and held-out companions: in two views.
TrackPicture loss_track(const QueryFrame& frame, const Smoothing& smoothing, bool is_logarithmic);
// The stacked density areas: in two views.
TrackPicture density_track(const QueryFrame& frame, const DensitySettings& settings);
// One line a layer for the element `label` of a [layer, ...] channel.
TrackPicture layer_lines(const QueryFrame& frame, const char* channel, const char* label);
// Mean over layers of scope density and its parts at the cursor and at the first sample.
DensityFacts density_facts(const QueryFrame& frame, LayerSpan layers);

}  // namespace sparsescope::viz
