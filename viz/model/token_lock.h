// What a click on a token means, for every view that shows tokens.
#pragma once

#include <cstdint>

#include "viz/model/selection.h"

namespace sparsescope::viz {

enum class LockClick { Plain, Shift };

// Plain locks `position`, alone. Shift puts it beside the locked one, or takes it away when it is one of the
// two.
inline void lock_token(Marks& locked, std::int64_t position, LockClick click) {
  if (click == LockClick::Plain) {
    locked.token = position;
    locked.second_token.reset();
  } else if (locked.second_token == position) {
    locked.second_token.reset();
  } else if (locked.token == position) {
    locked.token = locked.second_token;
    locked.second_token.reset();
  } else if (!locked.token) {
    locked.token = position;
  } else {
    locked.second_token = position;
  }
}

}  // namespace sparsescope::viz
