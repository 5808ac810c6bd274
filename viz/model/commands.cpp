#include "viz/model/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr std::array<std::string_view, 16> kNamedKeys = {
    "Space",    "Left",   "Right", "Up",  "Down",   "Home",      "End",    "PageUp",
    "PageDown", "Escape", "Enter", "Tab", "Delete", "Backspace", "Insert", "Pause"};

bool is_key(std::string_view key) {
  if (key.size() == 1)
    return std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789[],./+-=;'?").find(key[0]) !=
           std::string_view::npos;
  if (key.size() >= 2 && key.size() <= 3 && key[0] == 'F') {
    const int number = std::atoi(std::string(key.substr(1)).c_str());
    return number >= 1 && number <= 12;
  }
  return std::find(kNamedKeys.begin(), kNamedKeys.end(), key) != kNamedKeys.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

KeyChord chord_from_text(std::string_view text) {
  KeyChord chord;
  std::string_view rest = text;
  const auto take = [&](std::string_view name, bool& flag) {
    if (!rest.starts_with(name) || rest.size() == name.size()) return false;
    rest.remove_prefix(name.size());
    flag = true;
    return true;
  };
  while (take("Ctrl+", chord.control) || take("Shift+", chord.shift) || take("Alt+", chord.alt)) {
  }
  check(is_key(rest), fmt::format("'{}' is no key chord", text));
  chord.key = rest;
  return chord;
}

std::string text_from_chord(const KeyChord& chord) {
  return std::string(chord.control ? "Ctrl+" : "") + (chord.shift ? "Shift+" : "") +
         (chord.alt ? "Alt+" : "") + chord.key;
}

void CommandTable::add(UiCommand command) {
  check(!command.id.empty() && !command.words.empty() && !command.category.empty(),
        "a command has an id, words and a category");
  check(static_cast<bool>(command.run), "command '" + command.id + "' does nothing");
  check(find(command.id) == nullptr, "two commands are called '" + command.id + "'");
  for (const KeyChord& chord : command.keys) {
    const UiCommand* other = find(chord);
    if (other == nullptr) continue;
    check(false,
          fmt::format("'{}' is the key of '{}' and of '{}'", text_from_chord(chord), command.id, other->id));
  }
  commands_.push_back(std::move(command));
}

const UiCommand* CommandTable::find(std::string_view id) const {
  const auto it = std::find_if(commands_.begin(), commands_.end(),
                               [&](const UiCommand& command) { return command.id == id; });
  return it == commands_.end() ? nullptr : &*it;
}

const UiCommand* CommandTable::find(const KeyChord& chord) const {
  for (const UiCommand& command : commands_) {
    if (std::find(command.keys.begin(), command.keys.end(), chord) != command.keys.end()) return &command;
  }
  return nullptr;
}

std::string CommandTable::why_disabled(std::string_view id) const {
  const UiCommand* command = find(id);
  if (command == nullptr) return "There is no command '" + std::string(id) + "'";
  return command->why_disabled ? command->why_disabled() : std::string();
}

std::string CommandTable::run(std::string_view id) const {
  std::string reason = why_disabled(id);
  if (reason.empty()) find(id)->run();
  return reason;
}

std::vector<const UiCommand*> CommandTable::search(std::string_view query) const {
  std::vector<std::string> words;
  std::istringstream stream{lower(query)};
  for (std::string word; stream >> word;) words.push_back(word);

  std::vector<std::pair<int, const UiCommand*>> found;
  for (const UiCommand& command : commands_) {
    const std::string title = lower(command.words),
                      all = title + " " + lower(command.category) + " " + lower(command.id);
    int score = 0;
    const bool fits = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
      const std::size_t place = title.find(word);
      // A match at the start of the words beats one at the start of a word, which beats one anywhere.
      score += place == 0                                              ? 3
               : place != std::string::npos && title[place - 1] == ' ' ? 2
               : place != std::string::npos                            ? 1
                                                                       : 0;
      return all.find(word) != std::string::npos;
    });
    if (fits) found.emplace_back(score, &command);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const UiCommand*> commands;
  for (const auto& [score, command] : found) commands.push_back(command);
  return commands;
}

}  // namespace sparsescope::viz
