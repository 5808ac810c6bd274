#include "viz/frame/memory.h"

#include <nlohmann/json.hpp>

#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

constexpr const char *kRecentCommands = "recent_commands", *kWindow = "window";
constexpr int kSmallestSide = 320, kLargestSide = 16384;  // of a window

// Ids that no command has now stay: a trainer's controls come and go.
std::vector<std::string> texts_in(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const json& item : list) {
    if (item.is_string() && texts.size() < kMostRecentCommands) texts.push_back(item.get<std::string>());
  }
  return texts;
}

}  // namespace

std::optional<std::array<int, 2>> window_size_in(const std::string& memory) {
  const json kept = json::parse(memory, nullptr, false, true);
  const json size = kept.is_object() ? kept.value(kWindow, json()) : json();
  if (!size.is_array() || size.size() != 2) return std::nullopt;
  for (const json& side : size) {
    if (!side.is_number_integer() || side < kSmallestSide || side > kLargestSide) return std::nullopt;
  }
  return std::array{size[0].get<int>(), size[1].get<int>()};
}

void recall(State& state) {
  const std::string text = state.host.memory_text();
  const json memory = json::parse(text, nullptr, false, true);
  if (memory.is_object()) state.recent_commands = texts_in(memory.value(kRecentCommands, json()));
  state.kept_commands = state.recent_commands;
  state.own_size = state.kept_size = window_size_in(text);
}

void keep_memory(State& state) {
  if (state.recent_commands == state.kept_commands && state.own_size == state.kept_size) return;
  state.kept_commands = state.recent_commands;
  state.kept_size = state.own_size;
  json memory = {{kRecentCommands, state.recent_commands}};
  if (state.own_size) memory[kWindow] = *state.own_size;
  if (const std::string failure = state.host.keep_memory(memory.dump(2) + "\n"); !failure.empty())
    state.notify(failure, ui::Tone::Warn);
}

}  // namespace sparsescope::frame
