// What a window shows, kept while it is open, so that the next start can offer it after a crash: the program
// removes it when a window is closed as it should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparsescope::frame {

struct State;

struct Session {
  std::vector<std::string> files;  // recordings that are open, in the order of the list; absolute paths
  std::string recording;           // of the run that this window trains; empty: none
  std::uint64_t step = 0;          // of the cursor
  std::string layout;              // JSON of layouts.h; empty: none was drawn
  bool operator==(const Session&) const = default;
};

std::string text_of(const Session& session);
// Nothing: the text is none of ours.
std::optional<Session> session_from_text(const std::string& text);

// Between frames, also of a window that stands still, every few seconds: gives the program what changed, to
// keep.
void keep_session(State& state, double seconds);
// Opens what a lost session showed, at its step and in its layout; a file that cannot be opened is said.
void reopen(State& state, const Session& session);

}  // namespace sparsescope::frame
