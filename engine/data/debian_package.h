// Fetches Debian packages without being root: apt-get download and dpkg-deb -x into a folder that goes away.
#pragma once

#include <string>
#include <vector>

#include "engine/data/task.h"

namespace sparsescope::data {

// A folder that is removed with everything in it.
class PassingFolder {
 public:
  // "BASE/.build-XXXXXX". Throws Error when it cannot be made.
  explicit PassingFolder(const std::string& base);
  ~PassingFolder();
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct UnpackedPackage {
  std::string version;  // "4:7.4.7-1+deb12u14"
  std::string folder;   // what it would install, below this
};

// Fetches the newest `package` that this machine's package lists know and unpacks it below `folder`; apt
// checks its signature. `progress` of `task` runs from 0 to 1. Throws Error with one sentence when the
// package is not in the lists, when there is no network, when the disk is full, when apt or dpkg-deb is
// missing or refuses; and Cancelled.
UnpackedPackage fetch_package(const std::string& package, const std::string& folder, const Task& task);

// Regular files below `folder` whose path from there matches one of `globs` and none of `without`, in the
// order of their paths, as paths from there. Links are not followed.
std::vector<std::string> matching_files(const std::string& folder, const std::vector<std::string>& globs,
                                        const std::vector<std::string>& without);

}  // namespace sparsescope::data
