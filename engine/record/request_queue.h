// The asking half of a RowSource, shared by the writer's read-back and the reader: tags, answers, cancelling.
// Reads nothing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/trace/row_source.h"

namespace sparsescope::record {

class RequestQueue {
 public:
  // The asker's side; any thread.
  std::uint64_t push(trace::ReadRequest request);
  void cancel(std::uint64_t tag);
  std::vector<trace::ReadAnswer> poll();

  // The reading thread's side. A piece of work is one row of the oldest unanswered request.
  struct Work {
    std::uint64_t tag = 0, row = 0;
    std::vector<std::uint32_t> channels;
  };
  // Nothing while answers of more than 64 MiB wait to be polled.
  std::optional<Work> next() const;
  // The row of `work` was read (nullptr: it has nothing that was asked for); the last one also answers Done.
  // Ignored when the request was cancelled meanwhile.
  void answer(const Work& work, trace::FramePtr frame);
  void fail(const Work& work, const std::string& message);
  // Waits until there may be work, the queue is stopped, or someone calls wake().
  void wait();
  void wake();
  void stop();
  bool is_stopped() const;

 private:
  struct Pending {
    std::uint64_t tag = 0;
    trace::ReadRequest request;
  };
  std::deque<Pending>::iterator find(std::uint64_t tag);
  bool has_work() const { return !pending_.empty() && answer_bytes_ < kMaxAnswerBytes; }

  static constexpr std::size_t kMaxAnswerBytes = 64 << 20;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Pending> pending_;
  std::vector<trace::ReadAnswer> answers_;
  std::size_t answer_bytes_ = 0;
  std::uint64_t next_tag_ = 1;
  bool woken_ = false, stopped_ = false;
};

}  // namespace sparsescope::record
