// One instant of a run: the channels due at its step. Immutable once sent, shared by everyone who looks at
// it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/trace/error.h"
#include "engine/trace/schema.h"

namespace sparsescope::trace {

inline constexpr std::uint32_t kFlagNonFinite = 1;
inline constexpr std::uint32_t kFlagProbeDropped = 2;
inline constexpr std::uint32_t kFlagWallClockJumped = 4;
inline constexpr std::uint32_t kFlagAfterGap = 8;

// Which channels have data in a frame: bit c of word c / 64.
struct Presence {
  std::array<std::uint64_t, 4> words{};
  bool has(std::uint32_t channel) const {
    return channel < 256 && (words[channel / 64] >> (channel % 64) & 1) != 0;
  }
  void add(std::uint32_t channel) { words.at(channel / 64) |= std::uint64_t{1} << (channel % 64); }
  bool operator==(const Presence&) const = default;
};

struct ChannelData {
  std::uint32_t channel = 0;  // Channel::id
  std::vector<std::byte>
      bytes;  // uncompressed, little-endian; dense: one row; ragged: the elements of this frame
  bool operator==(const ChannelData&) const = default;
};

struct Frame {
  std::uint64_t row = 0;        // running number within the run; identifies the frame
  std::uint64_t step = 0;       // never falls; several frames may carry one step
  std::int64_t mono_nanos = 0;  // since the start of the run
  std::int64_t unix_nanos = 0;  // a label only
  std::uint32_t flags = 0;
  Presence present;  // what the run recorded here; a replayed frame may carry less than that in `data`
  std::vector<ChannelData> data;  // rising channel ids

  const ChannelData* find(std::uint32_t channel) const {
    for (const ChannelData& part : data) {
      if (part.channel == channel) return &part;
    }
    return nullptr;
  }
  std::size_t bytes() const {
    std::size_t sum = sizeof(Frame);
    for (const ChannelData& part : data) sum += part.bytes.size() + sizeof(ChannelData);
    return sum;
  }
};
using FramePtr = std::shared_ptr<const Frame>;

// The bytes of a channel as values of T. Precondition: the channel's dtype is T's.
template <typename T>
std::span<const T> values_as(const ChannelData& data) {
  check(data.bytes.size() % sizeof(T) == 0, "channel bytes are not a whole number of values");
  return {reinterpret_cast<const T*>(data.bytes.data()), data.bytes.size() / sizeof(T)};
}

// Appends `values` to `frame` as channel `id` and marks it present. Call with rising ids.
template <typename T>
void add_values(Frame& frame, std::uint32_t id, std::span<const T> values) {
  ChannelData part{id, {}};
  part.bytes.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(part.bytes.data(), values.data(), values.size_bytes());
  frame.present.add(id);
  frame.data.push_back(std::move(part));
}

enum class RunStatus { Finished, Stopped, Failed, Unclosed };  // Unclosed: being written, or its writer died
struct RunEnd {
  RunStatus status = RunStatus::Finished;
  std::string message;
};

// Whoever receives a run. Order: schema once, frames in running number, end once. Called from the source's
// thread.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void on_schema(SchemaPtr schema) = 0;
  virtual void on_frame(FramePtr frame) = 0;
  virtual void on_end(const RunEnd& end) = 0;
};

}  // namespace sparsescope::trace
