// What is on its way to the sink: the frame being built, its events and text samples, sent together; how long
// the sink held us.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "engine/train/events.h"
#include "engine/train/frame_builder.h"
#include "engine/train/text_samples.h"

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
    JsonElements::Taken texts = samples.take();
    if (!texts.elements.empty()) frame.set("text_samples", texts.elements);
    if (!texts.payload.empty()) frame.set("text_sample_payloads", texts.payload);
    if (frame.is_empty()) return;
    const auto start = std::chrono::steady_clock::now();
    sink_.on_frame(frame.take(step));
    last_blocked_ms_ =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    blocked_ms_ += last_blocked_ms_;
  }
  // Milliseconds inside the sink since the last call.
  double take_blocked_ms() { return std::exchange(blocked_ms_, 0); }
  // Of the last frame alone.
  double blocked_ms() const { return last_blocked_ms_; }

  FrameBuilder frame;
  EventLog events;
  TextSampleLog samples;

 private:
  trace::FrameSink& sink_;
  double blocked_ms_ = 0, last_blocked_ms_ = 0;
};

}  // namespace sparsescope::train
