// Long work of the window: what runs, how far it is, how to stop it, and what became of what ran before.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace sparsescope::frame {

struct State;

struct Job {
  enum class Kind { Reading, Preparing, Evaluating, Recovering };
  Kind kind = Kind::Reading;
  std::uint32_t run = 0;  // Run::id(); of a recovery its number
  std::string what;       // "Reading small.h5"
  std::string detail;     // "1.2 of 3.4 MiB"
  double fraction = -1;   // 0..1, negative: unknown
  double seconds = 0;     // since it began
  std::string result;     // of one that is over: "done", or why not
  bool is_same(const Job& other) const { return kind == other.kind && run == other.run; }
};

class Jobs {
 public:
  // Once a frame: what runs now; what no longer runs goes to the history.
  void update(const State& state);
  const std::vector<Job>& running() const { return running_; }
  const std::deque<Job>& history() const { return history_; }  // newest first

 private:
  static constexpr std::size_t kMostKept = 30;
  std::vector<Job> running_;
  std::deque<Job> history_;
};

// Stops a job; what it made so far stays.
void cancel(State& state, const Job& job);
// The list of jobs over the window.
void draw_jobs(State& state);

}  // namespace sparsescope::frame
