// Copies what can be proven of a damaged or unclosed recording into a new, closed one. The old file is never
// opened for writing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sparsescope::record {

struct Recovered {
  std::uint64_t frames = 0, of = 0;  // copied, and how many the old file claims or shows
  std::uint64_t last_step = 0;       // of the last one copied
};
// "recovered 48,190 of 48,210 frames, last step 48,189".
std::string words_of(const Recovered& recovered);

// "run.recovered.h5" beside "run.h5"; "run.recovered-2.h5" and so on while that name is taken.
std::string recovered_path(const std::string& recording);

// Called between blocks of frames with the share copied so far; false stops.
using RecoveryProgress = std::function<bool(double fraction)>;

// Writes the frames of `from` before the first bad one to `to`, all channels, with the same schema: it is the
// same run, so what is kept beside it by its uuid stays true. Appears under its name when it is whole. Throws
// Error: `from` is no recording, holds no good frame, `to` is there already, the disk is full, or it was
// stopped.
Recovered recover(const std::string& from, const std::string& to, const RecoveryProgress& progress = {});

}  // namespace sparsescope::record
