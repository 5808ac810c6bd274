// What the files of the timeline share: places on its axis, its regions, its pointer.
#pragma once

#include <string>
#include <vector>

#include "viz/frame/state.h"

namespace sparsescope::frame {

// Lengths at scale 1.
inline constexpr float kTransportWidth = 262, kHeaderHeight = 48, kChartHeight = 26, kLaneHeight = 14;
inline constexpr float kMinimapHeight = 30, kHandleTarget = 24;
inline constexpr std::size_t kMostCharts = 6;

// From the time axis to pixels and back.
struct Ruler {
  viz::Range range;
  float left = 0, right = 1;
  viz::TimeAxis axis = viz::TimeAxis::Step;
  float pixel(double x) const {
    return left + static_cast<float>((x - range.minimum) / range.width()) * (right - left);
  }
  double value(float pixel) const {
    return range.minimum + static_cast<double>((pixel - left) / (right - left)) * range.width();
  }
  // Units of the axis in `pixels` at scale 1.
  double units(double pixels) const {
    return pixels * static_cast<double>(current_scale()) * range.width() / static_cast<double>(right - left);
  }
};

// How high the timeline is in a window of this size.
float time_bar_height(State& state, const ImVec2& window);
// Goes with a run that grows: once a frame, after the timeline was updated.
void keep_time_window(State& state);
// The run may still get frames: nothing ended it, and it is not a recording that is being read.
bool may_grow(const State& state, const viz::Run& run);
// Something happened in it, and nobody hid it.
bool shows_lane(const State& state, const viz::Run& run, viz::Lane lane);
std::vector<viz::ChartChoice> charts_shown(const State& state, const viz::Run& run);
// The rows of tracks that have room in a window of this size, charts first, and the names of those without.
struct TrackRows {
  std::vector<viz::ChartChoice> charts;
  std::vector<viz::Lane> lanes;
  std::vector<std::string> left_out;
  float height() const;  // at scale 1
};
TrackRows rows_that_fit(const State& state, const viz::Run& run, const ImVec2& window);

// Each draws its region and lets the pointer act on it.
void draw_transport(State& state, const Area& area);
void draw_tracks(State& state, viz::Run& run, const Area& area);
// Without tracks the minimap has the ruler and the flags over it.
enum class Heading { None, Own };
void draw_minimap(State& state, viz::Run& run, const Area& area, Heading heading);
// The part of the time axis that is shown, and the whole of it, over the width of `area`.
Ruler ruler_of_tracks(const State& state, const Area& area);
Ruler ruler_of_minimap(const State& state, const Area& area);

// The pointer is over this window and nothing lies before it, whatever it holds.
bool pointer_is_here();

// --- marks that both draw ---
void draw_ruler(const Ruler& ruler, float top);
void draw_missing(const viz::Run& run, const Ruler& ruler, float top, float bottom);
void draw_loop(const State& state, const viz::Run& run, const Ruler& ruler, float top, float bottom);
void draw_cursor(const State& state, const viz::Run& run, const Ruler& ruler, float top, float bottom);
enum class Flags { Large, Small };
void draw_flags(State& state, const viz::Run& run, const Ruler& ruler, const Area& row, Flags flags);
// The bookmark or note under the pointer in the row of flags; its step.
std::optional<std::uint64_t> flag_under_pointer(State& state, const viz::Run& run, const Ruler& ruler,
                                                const Area& row);
// A vertical bar that can be dragged.
void draw_handle(float x, float top, float bottom, bool is_hot);
// What a held pointer does with the loop or the cursor, for both regions.
void drag_on(State& state, const viz::Run& run, const Ruler& ruler);
// Ends what was held when the button is up.
void let_go(State& state);
void zoom_by_wheel(State& state, const Ruler& ruler);
// Marks what the held middle button was dragged over, and shows that part once it is let go.
void zoom_to_drag(State& state, const Ruler& ruler, float top, float bottom);

}  // namespace sparsescope::frame
