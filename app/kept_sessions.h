// Sessions of windows that are open, one small file each, named by the process: what a process left that
// lives no more was lost.
#pragma once

#include <optional>
#include <string>

#include "viz/frame/session.h"

namespace sparsescope::app {

class KeptSessions {
 public:
  // In `folder`/sessions; an empty folder keeps nothing.
  explicit KeptSessions(const std::string& folder);
  // Ends as it should: its own file goes. While an exception is on its way the file stays.
  ~KeptSessions();
  KeptSessions(const KeptSessions&) = delete;
  KeptSessions& operator=(const KeptSessions&) = delete;

  // One sentence when it could not be kept, else "".
  std::string keep(const frame::Session& session);
  // The newest that another process left and that has something to reopen.
  const std::optional<frame::Session>& lost() const { return lost_; }
  // Removes what other processes left.
  void forget_lost();

 private:
  std::string folder_, own_;
  std::optional<frame::Session> lost_;
  int exceptions_ = 0;  // on their way when this was made
};

}  // namespace sparsescope::app
