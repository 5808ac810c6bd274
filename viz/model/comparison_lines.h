// Lines of several runs in one track, each in its run's colour with its letter; runs that differ only in
// their seed as median and band.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "viz/model/comparison.h"
#include "viz/model/picture.h"
#include "viz/model/query.h"

namespace sparsescope::viz {

enum class SeedGroups { Apart, Together };

// Makes the same track of another run.
using SameTrack = std::function<TrackPicture(const QueryFrame& frame)>;

// Adds the named lines of every other run of the comparison to `track`, which is the picture's own; its
// samples that are no numbers too. Over stacked areas a run's line is their total, called `total`. Does
// nothing when there is no comparison. `seeds` Together: lines of one name whose runs differ only in their
// seed become one line, the median, with a band from the lowest to the highest of them; Apart: each run has
// its line and an arm of several seeds a band. Where A's arm and another, one of them of several seeds,
// overlap, the other's columns are within the spread, and `track.spreads` say so of the cursor.
void overlay(const QueryFrame& frame, const std::vector<ComparedRun>& runs, SeedGroups seeds,
             const std::string& total, const SameTrack& same_track, TrackPicture& track);

// The runs in groups that differ only in their seed, and in what is probed and recorded of them; a run of its
// own is a group of one.
std::vector<std::vector<ComparedRun>> seed_groups(const std::vector<ComparedRun>& runs);

// A channel [layer, …] as one line: the mean over layers, its minimum and maximum those of the lowest and the
// highest layer; the locked layer alone where one is locked.
LinePicture mean_over_layers(const QueryFrame& frame, const char* channel, const char* label,
                             LayerSpan layers);

}  // namespace sparsescope::viz
