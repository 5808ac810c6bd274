// Heavy rows (maps, bit sets, edge lists) of one run: what passed by or was read back, within a byte budget.
// The newest wish of each channel replaces the one before it; nothing queues, nothing blocks.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/trace/frame.h"
#include "engine/trace/row_source.h"

namespace sparsescope::viz {

using ChannelDataPtr = std::shared_ptr<const trace::ChannelData>;

class RowCache {
 public:
  RowCache(std::shared_ptr<trace::RowSource> source, std::size_t byte_budget)
      : source_(std::move(source)), byte_budget_(byte_budget) {}

  // Keeps the part of `frame` that belongs to `channel`; the oldest unused parts make room.
  void put(const trace::FramePtr& frame, std::uint32_t channel);

  enum class State { Ready, Loading, Missing, Failed };
  struct Answer {
    State state = State::Missing;
    ChannelDataPtr data;  // Ready
    std::string message;  // Missing, Failed: one sentence
  };
  // The row's data, or a wish for it: a wish cancels an older, unanswered one of the same channel.
  Answer get(std::uint64_t row, std::uint32_t channel);
  // Takes in what the source has read; true when something changed.
  bool poll();
  // Forgets failures, so that the next get asks again.
  void retry() { failures_.clear(); }

  std::size_t bytes() const { return bytes_; }
  bool is_waiting() const { return !wishes_.empty(); }

 private:
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // row, channel
  struct Entry {
    Key key;
    ChannelDataPtr data;
    std::size_t bytes;
  };
  struct Wish {
    std::uint64_t row, tag;
  };

  std::shared_ptr<trace::RowSource> source_;
  std::size_t byte_budget_, bytes_ = 0;
  std::list<Entry> entries_;  // newest use first
  std::map<Key, std::list<Entry>::iterator> places_;
  std::map<std::uint32_t, Wish> wishes_;  // by channel
  std::map<Key, std::string> failures_;
};

}  // namespace sparsescope::viz
