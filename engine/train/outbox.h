// What is on its way to the sink: the frame being built and its events, sent together; how long the sink held
// us.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "engine/train/events.h"
#include "engine/train/frame_builder.h"

namespace sparsescope::train {

class Outbox {
 public:
  // `sink` outlives the outbox and has seen the schema.
  Outbox(trace::SchemaPtr schema, trace::FrameSink& sink) : frame(std::move(schema)), sink_(sink) {}

  // Sends what was set since the last call; nothing when there is nothing.
  void send(std::uint64_t step) {
    EventLog::Taken taken = events.take();
    if (!taken.elements.empty()) frame.set("events", taken.elements);
    if (!taken.payload.empty()) frame.set("event_payloads", taken.payload);
    if (frame.is_empty()) return;
    const auto start = std::chrono::steady_clock::now();
    sink_.on_frame(frame.take(step));
    blocked_ms_ +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  // Milliseconds inside the sink since the last call.
  double take_blocked_ms() { return std::exchange(blocked_ms_, 0); }

  FrameBuilder frame;
  EventLog events;

 private:
  trace::FrameSink& sink_;
  double blocked_ms_ = 0;
};

}  // namespace sparsescope::train
