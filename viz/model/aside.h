// One piece of work at a time on a thread of its own, for what takes longer than a frame may. No queue: who
// wants something else meanwhile asks again when this is done.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <utility>

#include "engine/trace/error.h"

namespace sparsescope::viz {

template <typename Result>
class Aside {
 public:
  bool is_busy() const { return done_.valid(); }
  // Since the work that is under way began; 0: there is none.
  double seconds() const {
    using Seconds = std::chrono::duration<double>;
    return is_busy() ? Seconds(std::chrono::steady_clock::now() - began_).count() : 0;
  }

  // Not while it is busy. `work` owns, or shares without changing, all that it reads.
  void begin(std::function<Result()> work) {
    check(!is_busy(), "one piece of work at a time");
    began_ = std::chrono::steady_clock::now();
    done_ = std::async(std::launch::async, std::move(work));
  }
  // What was made, once; nothing while it is under way. Throws what the work threw.
  std::optional<Result> take() {
    const bool is_done = is_busy() && done_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    return is_done ? std::optional<Result>(done_.get()) : std::nullopt;
  }
  // The same, after waiting for it; nothing: nothing was begun.
  std::optional<Result> wait() { return is_busy() ? std::optional<Result>(done_.get()) : std::nullopt; }

 private:
  std::future<Result> done_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace sparsescope::viz
