// What happened in a run, in words: the elements of the channel "events" and the long ones' "event_payloads".
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "engine/train/json_elements.h"

namespace sparsescope::train {

enum class EventKind { Command, Evaluation, Checkpoint, Note, Warning, NeedleInjected, Watching, End };

inline constexpr std::size_t kEventBytes = JsonElements::kBytes;

// Collects the events of the frame that is being built. An event is {"step":..,"kind":"command",...fields};
// of one too long for an element (json_elements.h) the element keeps step, kind, status and a needle's ids
// and positions.
class EventLog {
 public:
  void add(std::uint64_t step, EventKind kind, const nlohmann::ordered_json& fields);

  bool is_empty() const { return elements_.is_empty(); }
  using Taken = JsonElements::Taken;
  Taken take() { return elements_.take(); }

 private:
  JsonElements elements_;
};

}  // namespace sparsescope::train
