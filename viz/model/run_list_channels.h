// The channels of a run as a tree: each channel, and below it the elements of a row with their values at the
// cursor. Only what is unfolded or searched for becomes rows.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "viz/model/run.h"

namespace sparsescope::viz {

struct ChannelRow {
  enum class Kind { Channel, Element, More };  // More: elements beyond the most shown
  Kind kind = Kind::Channel;
  std::uint32_t channel = 0;
  std::size_t element = 0;
  std::string label;     // "threshold"; "layer 3, theta"
  std::string shape;     // of a channel: "4 × 7", "21 rows"
  std::string value;     // of an element at the cursor
  std::string detail;    // type, unit and cadence, what is not there yet
  bool is_here = false;  // something was recorded up to the cursor
  bool is_open = false, can_open = false;
};

struct ChannelSettings {
  std::string filter;          // name, element, unit or cadence
  std::set<std::string> open;  // names of unfolded channels
};

inline constexpr std::size_t kElementsShown = 400;  // of one channel

std::vector<ChannelRow> channel_rows(Run& run, std::uint64_t step, const ChannelSettings& settings);
// "layer 3, theta": the labels of an element on each axis of its channel.
std::string element_label(const trace::Channel& channel, std::size_t element);
// "every 10 steps", "when it happens", "once".
std::string cadence_in_words(const trace::Channel& channel);

}  // namespace sparsescope::viz
