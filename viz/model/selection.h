// What is hovered and what is locked, for all views at once. Views ignore what they do not know.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "viz/model/format.h"

namespace sparsescope::viz {

struct Marks {
  std::optional<std::uint64_t> step;
  std::optional<double> x;  // on the shared time axis
  std::optional<std::int64_t> layer, head, token, vocabulary_id, source, slot;
  std::optional<std::int64_t> second_token;  // Shift-click: stands beside `token`
  bool operator==(const Marks&) const = default;
};

// Runs shown beside the selected one.
struct Comparison {
  std::optional<std::uint32_t> baseline;  // A, the pinned run; differences are selected run - A
  std::vector<std::uint32_t> beside;      // others to overlay, in the order they were chosen
  bool operator==(const Comparison&) const = default;
};
inline constexpr std::size_t kMostRunsCompared = 4;  // with the selected one

struct Selection {
  std::optional<std::uint32_t> run;  // Run::id(); nothing: the timeline's first run
  Marks hover;                       // rewritten every frame: hover shows
  Marks hover_before;                // of the frame before: what views draw, whatever their order
  Marks locked;                      // a click locks, Esc releases
  std::optional<Range> brush;        // a dragged span on the shared time axis
  Comparison comparison;

  // Call once at the start of a frame.
  void begin_frame() {
    hover_before = hover;
    hover = {};
  }
  void release() {
    locked = {};
    brush.reset();
  }
};

}  // namespace sparsescope::viz
