// When a quantity first passed a level: found in the pyramid of its series, in recorded samples only. What is
// drawn of it and said about it is made from the same values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "viz/model/picture.h"
#include "viz/model/run.h"
#include "viz/model/series.h"

namespace sparsescope::viz {

enum class Side { Above, Below };

// The samples [first, last) of which the earliest that lies strictly beyond the level is one: exactly one
// sample where raw samples are kept, all of a summary where they were thinned away.
struct Passed {
  std::size_t first = 0, last = 0;
  bool operator==(const Passed&) const = default;
};
// The first finite sample strictly above (below) `level`; nothing: none of them is. Reads a logarithmic
// number of nodes.
std::optional<Passed> first_beyond(const Series& series, double level, Side side);

// One crossing of one layer.
struct LayerCrossing {
  enum class Kind { Never, FromTheStart, Crossed, NotRecorded };
  std::int64_t layer = 0;
  Kind kind = Kind::NotRecorded;
  // Crossed, FromTheStart: the sample; `last_step` is later only where samples were thinned away.
  std::uint64_t step = 0, last_step = 0;
  bool is_found() const { return kind == Kind::Crossed || kind == Kind::FromTheStart; }
  bool operator==(const LayerCrossing&) const = default;
};
// Each layer of a [layer, ...] channel's element `label`, by layer. FromTheStart: its first finite sample
// lies beyond the level already. NotRecorded: it has no finite sample.
std::vector<LayerCrossing> layer_crossings(const Run& run, const std::string& channel,
                                           const std::string& label, double level, Side side);

// What is passed, in words.
struct CrossingWords {
  std::string what;   // "direct"
  std::string level;  // "20 %"
  Side side = Side::Above;
};
// "direct first above 20 % in layer 3 at step 30", "direct above 20 % in layer 3 from the first sample, step
// 0", "direct never above 20 % in layer 3".
std::string crossing_in_words(const CrossingWords& words, const LayerCrossing& crossing);
// All layers in one clause: the earliest `most` by name, how many follow, who never does.
std::string crossings_in_words(const CrossingWords& words, std::span<const LayerCrossing> crossings);
// The earliest crossing of any layer that is found and lies strictly after `step`, else the earliest of all:
// what a key that goes from one to the next asks. `layer`: of this one only. nullptr: none is found.
const LayerCrossing* next_crossing(std::span<const LayerCrossing> crossings, std::uint64_t step,
                                   std::optional<std::int64_t> layer);

// Puts the level and what passes it into a track whose lines are layers: the marks stand on the level.
void mark_crossings(const Run& run, TimeAxis axis, const CrossingWords& words, double level,
                    std::span<const LayerCrossing> crossings, TrackPicture& track);

}  // namespace sparsescope::viz
