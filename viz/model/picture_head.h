// What every picture has besides its marks: words, limits, the state of its data. Views draw it the same way
// everywhere; each kind of picture adds its marks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "viz/model/timeline.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

enum class PictureState { NotApplicable, Empty, Waiting, Loading, Ready, Failed };

struct Action {
  std::string words;                       // of the button
  std::string command;                     // id in the command table; empty when it only moves the cursor
  std::optional<std::uint64_t> step = {};  // where the cursor goes
};

struct PictureHead {
  std::string view;  // "drift"
  std::string title, detail, takeaway, help;
  std::string limits;  // what is shown of what: "step 0 to 2,000, 1,236 frames; 3 missing"
  PictureState state = PictureState::Empty;
  std::string words;  // the sentence of the state
  std::optional<Action> action;
  std::string problem;   // the source broke its promise, or the run failed: one sentence, else empty
  std::string behind;    // "showing step 1,200, cursor at 1,236", else empty
  std::string hidden;    // what is folded, thinned or left out and how much, else empty
  LoadProgress loading;  // rows_total 0: nothing is being read
  std::uint32_t run = 0;
  std::uint64_t cursor_step = 0;
  bool is_following = true;
};

// Title and the sentences of a head, in the order of the window; the caller adds the table.
Twin twin_of(const PictureHead& head);

}  // namespace sparsescope::viz
