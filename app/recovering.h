// A recovery that goes on beside the window: one at a time, on a thread of its own.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "viz/frame/host.h"

namespace sparsescope::app {

class Recovering {
 public:
  ~Recovering() { cancel(); }
  // Begins to copy `path` into a new file beside it. Throws Error while another one is under way.
  void begin(const std::string& path);
  // The last one that was begun; nothing: none was.
  std::optional<frame::Recovery> now() const;
  // Ends it soon; nothing is kept of it.
  void cancel() { thread_.request_stop(); }

 private:
  void work(const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::optional<frame::Recovery> now_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sparsescope::app
