// What the desktop program remembers between starts: appearance and recent files. One small JSON file;
// unreadable ones are kept aside and said.
#pragma once

#include <string>
#include <vector>

namespace sparsescope::app {

struct DesktopSettings {
  std::string theme = "dark";
  double scale = 1;
  std::vector<std::string> recent;  // paths, newest first, at most twelve
};

// Never throws: a missing file gives the defaults; one that cannot be read is renamed to <name>.unreadable,
// and `note` says so.
DesktopSettings load_settings(const std::string& folder, std::string& note);
// Never throws: settings that cannot be written are not worth a run; returns one sentence then, else "".
std::string save_settings(const std::string& folder, const DesktopSettings& settings);

}  // namespace sparsescope::app
