// What the desktop program keeps between starts: the settings file, which people may edit, recent files, and
// layouts. Small texts in the user's folder; unreadable ones are kept aside and named.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "viz/frame/host.h"

namespace sparsescope::app {

// Never throws. A missing file gives ""; one that is no JSON is renamed to <name>.unreadable, or
// <name>.unreadable-2 and so on while that is taken, and `note` says so.
std::string load_settings(const std::string& folder, std::string& note);
// Never throws: what cannot be written is not worth a run; returns one sentence then, else "".
std::string save_settings(const std::string& folder, const std::string& text);

// What the window remembers (viz/frame/memory.h), with the same care.
std::string load_memory(const std::string& folder, std::string& note);
std::string save_memory(const std::string& folder, const std::string& text);

// What recording needs of the settings: read from their text.
struct RecordingSettings {
  std::string folder;          // empty: the standard one
  std::uint64_t free_mib = 0;  // 0: what the program says
};
RecordingSettings recording_settings(const std::string& text);

// Paths, newest first, at most twelve; the same care as for settings.
std::vector<std::string> load_recent(const std::string& folder, std::string& note);
std::string save_recent(const std::string& folder, const std::vector<std::string>& paths);

// Every *.json of `folder`, by name. A missing folder has none.
std::vector<frame::KeptLayout> load_layouts(const std::string& folder, frame::KeptLayout::Origin origin);
// Writes <folder>/layouts/<name>.json; returns one sentence when it could not.
std::string save_layout(const std::string& folder, const frame::KeptLayout& layout);

}  // namespace sparsescope::app
