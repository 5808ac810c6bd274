// One process at a time trains into an experiment's folder: a lock file that says who does.
#pragma once

#include <string>

#include "engine/record/recording_place.h"

namespace sparsescope::app {

class FolderLock {
 public:
  // Takes `folder`/lock, or throws Error (Refused) that names the process that holds it. A lock whose process
  // died, or that came along when the folder was copied, is taken over; notice() then says so. On a network
  // file system, where other machines' processes cannot be seen, one that was touched within 30 s counts as
  // held. An empty probe asks the system.
  explicit FolderLock(const std::string& folder, const record::NetworkProbe& is_on_network = {});
  ~FolderLock();  // removes the file
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  // One sentence, or empty.
  const std::string& notice() const { return notice_; }
  // Says that this process is alive; cheap, call it at least every ten seconds.
  void touch();

 private:
  std::string path_, notice_;
  int file_ = -1;
};

}  // namespace sparsescope::app
