#include "viz/frame/memory.h"

#include <nlohmann/json.hpp>

#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

constexpr const char* kRecentCommands = "recent_commands";

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

void recall(State& state) {
  const json memory = json::parse(state.host.memory_text(), nullptr, false, true);
  if (memory.is_object()) state.recent_commands = texts_in(memory.value(kRecentCommands, json()));
  state.kept_commands = state.recent_commands;
}

void keep_memory(State& state) {
  if (state.recent_commands == state.kept_commands) return;
  state.kept_commands = state.recent_commands;
  const json memory = {{kRecentCommands, state.recent_commands}};
  if (const std::string failure = state.host.keep_memory(memory.dump(2) + "\n"); !failure.empty())
    state.notify(failure, ui::Tone::Warn);
}

}  // namespace sparsescope::frame
