// Events of a run (commands, evaluations, checkpoints, alerts) as plain values, read from the text channel
// `events`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::viz {

struct Event {
  std::uint64_t step = 0;
  std::int64_t mono_nanos = 0;  // of the frame that carried it
  std::string kind;   // "command", "evaluation", "checkpoint", "note", ...; "unreadable" when it is no JSON
  std::string words;  // one line for a flag: "sparsity weight 0 → 0.1"
  std::string json;   // as recorded
};

// The whole of an event that did not fit into its element: the element names the bytes of `payload` (the
// channel `event_payloads` of the same frame). What fits, or names bytes that are not there, is returned as
// it is.
std::string whole_event(std::string element, std::string_view payload);

// Parses one element of the channel. Never throws: what cannot be read becomes an event that says so.
Event event_from_json(std::string_view json, std::uint64_t frame_step, std::int64_t mono_nanos);

}  // namespace sparsescope::viz
