// JSON objects as elements of a channel of text, those too long for one as bytes of a second channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace sparsescope::train {

// Collects the elements of the frame that is being built. An object that does not fit its 1024 bytes lies
// whole in the payload channel, and its element only keeps the fields named, as far as they are there, and
// says where it is: {...,"payload_row":r,"payload_begin":b,"payload_end":e}, bytes b..e of row r of that
// channel.
class JsonElements {
 public:
  static constexpr std::size_t kBytes = 1024;

  void add(const nlohmann::ordered_json& object, std::span<const std::string_view> kept);

  bool is_empty() const { return elements_.empty(); }
  // Elements and payload bytes since the last call; a non-empty payload is the next row of its channel.
  struct Taken {
    std::vector<std::array<char, kBytes>> elements;
    std::vector<std::uint8_t> payload;
  };
  Taken take();

 private:
  std::vector<std::array<char, kBytes>> elements_;
  std::vector<std::uint8_t> payload_;
  std::uint64_t payload_rows_ = 0;  // already taken
};

}  // namespace sparsescope::train
