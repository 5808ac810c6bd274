// What the timeline at the bottom of the window remembers between frames: which tracks are shown, what the
// pointer holds, and how the view goes with a run that grows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "viz/model/time_tracks.h"

namespace sparsescope::frame {

// What a pressed button holds until it is let go.
enum class Grab { None, Cursor, Window, WindowStart, WindowEnd, LoopStart, LoopEnd, NewLoop, ZoomTo };

// A chart as it was drawn last; it is made again when anything here is different.
struct KeptChart {
  std::uint32_t run = 0;
  viz::ChartChoice choice;
  viz::TimeAxis axis = viz::TimeAxis::Step;
  viz::Range shown;
  std::size_t columns = 0, rows = 0;
  viz::Chart chart;
};

struct TimeBar {
  enum class Tracks { Shown, Hidden };
  Tracks tracks = Tracks::Shown;
  std::optional<std::vector<viz::ChartChoice>> charts;  // nothing: the defaults of the run
  std::set<viz::Lane> hidden_lanes;                     // others are shown where something is in them
  std::map<std::uint32_t, viz::EventLanes> lanes;       // by Run::id()
  std::vector<KeptChart> kept_charts;                   // one a chart shown, in their order

  Grab grab = Grab::None;
  double grabbed_at = 0;     // on the time axis
  viz::Range grabbed_range;  // as it was when it was grabbed
  bool has_moved = false;    // further than a click does

  bool was_following = true;
  std::optional<viz::Range> sliding;  // ends at the newest step and goes with it, until a person moves it
  std::optional<viz::Range> frozen;   // chosen by leaving live, given up by going live again
};

}  // namespace sparsescope::frame
