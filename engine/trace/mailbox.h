// A bounded hand-over of frames between two threads: the screen's drops the oldest, the recorder's blocks;
// both count.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <variant>
#include <vector>

#include "engine/trace/frame.h"

namespace sparsescope::trace {

using Message = std::variant<SchemaPtr, FramePtr, RunEnd>;

enum class Overflow { DropOldest, Block };

class Mailbox final : public FrameSink {
 public:
  struct Counts {
    std::uint64_t sent = 0;          // frames offered
    std::uint64_t dropped = 0;       // frames overwritten before anyone took them
    std::int64_t blocked_nanos = 0;  // time the sender waited
    std::size_t waiting_bytes = 0;
  };

  Mailbox(std::size_t byte_limit, Overflow overflow) : byte_limit_(byte_limit), overflow_(overflow) {}

  void on_schema(SchemaPtr schema) override;
  void on_frame(FramePtr frame) override;
  void on_end(const RunEnd& end) override;

  // Everything that waits, in order; returns at once. Schema and end are never dropped.
  std::vector<Message> drain();
  // Like drain, but waits up to `timeout_nanos` for the first message.
  std::vector<Message> wait_and_drain(std::int64_t timeout_nanos);
  // Makes one wait_and_drain, running or next, return without waiting further.
  void wake();
  // Calls `bell` on the sender's thread when something comes into an empty mailbox, from now on and once now
  // when something waits already: a receiver that sleeps elsewhere is woken. Must be quick and call nothing
  // here.
  void set_bell(std::function<void()> bell);
  // The receiver goes away: nothing blocks any more, later messages are counted as dropped.
  void close();

  Counts counts() const;

 private:
  void push(Message message, std::size_t bytes);

  const std::size_t byte_limit_;
  const Overflow overflow_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_, taken_;
  std::deque<std::pair<Message, std::size_t>> queue_;
  Counts counts_;
  std::function<void()> bell_;
  bool closed_ = false, woken_ = false;
};

// Passes a run on to several sinks, in the order given.
class FanOut final : public FrameSink {
 public:
  explicit FanOut(std::vector<FrameSink*> sinks) : sinks_(std::move(sinks)) {}
  void on_schema(SchemaPtr schema) override {
    for (FrameSink* sink : sinks_) sink->on_schema(schema);
  }
  void on_frame(FramePtr frame) override {
    for (FrameSink* sink : sinks_) sink->on_frame(frame);
  }
  void on_end(const RunEnd& end) override {
    for (FrameSink* sink : sinks_) sink->on_end(end);
  }

 private:
  std::vector<FrameSink*> sinks_;
};

}  // namespace sparsescope::trace
