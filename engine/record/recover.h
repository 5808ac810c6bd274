// Copies what can be proven of a damaged or unclosed recording into a new, closed one. The old file is never
// opened for writing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/trace/schema.h"

namespace sparsescope::record {

struct Recovered : trace::Recovery {
  bool has_gap = false;  // frames after a bad one were copied
  bool is_whole() const { return frames == of; }
};
// "recovered 48,190 of 48,210 frames, last step 48,189".
std::string words_of(const trace::Recovery& recovered);

// What becomes of frames that cannot be read: the copy ends before the first, or leaves them out and says in
// an event of the next good one (which gets flag 8) what is missing.
enum class BadFrames { EndTheCopy, LeaveOut };

// "run.recovered.h5" beside "run.h5"; "run.recovered-2.h5" and so on while that name is taken.
std::string recovered_path(const std::string& recording);

// Called between blocks of frames with the share copied so far; false stops.
using RecoveryProgress = std::function<bool(double fraction)>;

// Writes the good frames of `from` to `to`, all channels, with the same schema and Schema::recovered: it is
// the same run, so what is kept beside it by its uuid stays true. Appears under its name when it is whole.
// Throws Error: `from` is no recording, holds no good frame, `to` is there already, the disk is full, or it
// was stopped.
Recovered recover(const std::string& from, const std::string& to, const RecoveryProgress& progress = {},
                  BadFrames bad = BadFrames::EndTheCopy);

}  // namespace sparsescope::record
