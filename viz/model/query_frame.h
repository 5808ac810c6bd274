// What every query is given, and how every picture begins: words, limits and the state of its data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "viz/model/picture_head.h"
#include "viz/model/selection.h"
#include "viz/model/timeline.h"

namespace sparsescope::viz {

struct QueryFrame {
  const Timeline& timeline;
  Run& run;            // its smoothed series are caught up, its heavy rows asked for
  int columns = 1200;  // pixel columns of one track; what is drawn stays below kColumnsPerTrack in all
  // Statistics are taken over this span of the time axis, else over what is visible.
  std::optional<Range> brush = {};
  Marks locked = {};           // what a person chose, for pictures that depend on it
  Comparison comparison = {};  // the runs drawn beside this one
  // Instead of the cursor's: where it stands in another run at the same place of the time axis.
  std::optional<std::uint64_t> step = {};

  std::uint64_t cursor_step() const {
    if (step) return *step;
    return timeline.cursor().is_following() ? run.newest_step() : timeline.cursor().step();
  }
};

// Fills the head of a picture that cannot do without `channel`: run, cursor, loading, problem, and the state:
// Waiting when it has no sample yet, Empty when the run has ended without one, NotApplicable when the schema
// has no such channel. Ready only says that samples exist; a heavy one may still have to be read.
void begin_head(const QueryFrame& frame, const std::string& view, const std::string& channel,
                PictureHead& head);

// The latest sample of a heavy channel at or before the cursor. Sets the head to Loading, Failed or Empty
// with words when there is no data, and says in `behind` how far a sample trails the cursor.
struct HeavySample {
  ChannelDataPtr data;
  std::uint64_t step = 0;
};
std::optional<HeavySample> heavy_sample(const QueryFrame& frame, const std::string& channel,
                                        PictureHead& head);

// "First sample expected at step 50", or that the run ended without one, or that the channel is not recorded.
std::string why_missing(const Run& run, const std::string& channel);

}  // namespace sparsescope::viz
