// What happened in a run, in words: the elements of the channel "events" and the long ones' "event_payloads".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sparsescope::train {

enum class EventKind { Command, Evaluation, Checkpoint, Note, Warning, End };

inline constexpr std::size_t kEventBytes = 1024;

// Collects the events of the frame that is being built. An event is {"step":..,"kind":"command",...fields};
// one that does not fit its 1024 bytes lies whole in "event_payloads", and the element only names the place:
// {"step":..,"kind":..,"payload_row":r,"payload_begin":b,"payload_end":e}, bytes b..e of row r of that
// channel.
class EventLog {
 public:
  void add(std::uint64_t step, EventKind kind, const nlohmann::ordered_json& fields);

  bool is_empty() const { return elements_.empty(); }
  // Elements and payload bytes since the last call; a non-empty payload is the next row of "event_payloads".
  struct Taken {
    std::vector<std::array<char, kEventBytes>> elements;
    std::vector<std::uint8_t> payload;
  };
  Taken take();

 private:
  std::vector<std::array<char, kEventBytes>> elements_;
  std::vector<std::uint8_t> payload_;
  std::uint64_t payload_rows_ = 0;  // already taken
};

}  // namespace sparsescope::train
