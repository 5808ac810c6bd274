// The trainer's status as other threads see it: written by the training thread, read as a copy.
#pragma once

#include <mutex>

#include "engine/train/trainer.h"

namespace sparsescope::train {

class StatusBoard {
 public:
  template <typename Change>
  void update(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }
  Status read() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  Status status_;
};

}  // namespace sparsescope::train
