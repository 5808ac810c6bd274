#include "viz/model/commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/trace/error.h"
#include "viz/model/fuzzy.h"

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

std::optional<double> number_from_text(std::string text) {
  std::erase(text, ',');
  std::erase(text, ' ');
  double value = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, failure] = std::from_chars(first, text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string meant_choice(const std::vector<std::string>& choices, const std::string& value) {
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return value;
  const auto begins = [&value](const std::string& choice) {
    return choice.size() >= value.size() &&
           std::equal(value.begin(), value.end(), choice.begin(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  };
  if (std::ranges::count_if(choices, begins) != 1) return value;
  return *std::ranges::find_if(choices, begins);
}

std::string problem_with(const CommandArgument& argument, const std::string& value) {
  using Kind = CommandArgument::Kind;
  if (argument.kind == Kind::Choice) {
    const std::vector<std::string> choices = argument.choices();
    if (std::ranges::find(choices, meant_choice(choices, value)) == choices.end())
      return fmt::format("{} is one of: {}", argument.name, fmt::join(choices, ", "));
  } else if (argument.kind != Kind::Text) {
    const std::optional<double> number = number_from_text(value);
    if (!number)
      return fmt::format(
          "{} is a {}", argument.name,
          argument.kind == Kind::WholeNumber ? "whole number, such as 12" : "number, such as 0.5");
    if (argument.kind == Kind::WholeNumber && *number != std::floor(*number))
      return fmt::format("{} is a whole number, such as 12", argument.name);
    if (argument.range) {
      const Range range = argument.range();
      if (!range.contains(*number)) {
        return fmt::format("{} goes from {} to {}", argument.name, format_unit(range.minimum, argument.unit),
                           format_unit(range.maximum, argument.unit));
      }
    }
  }
  return argument.why_not ? argument.why_not(value) : std::string();
}

void CommandTable::add(UiCommand command) {
  check(!command.id.empty() && !command.words.empty() && !command.category.empty(),
        "a command has an id, words and a category");
  check(static_cast<bool>(command.run), "command '" + command.id + "' does nothing");
  check(command.argument.has_value() == static_cast<bool>(command.run_with),
        "command '" + command.id + "' asks for a value and takes it, or neither");
  check(find(command.id) == nullptr, "two commands are called '" + command.id + "'");
  for (const KeyChord& chord : command.keys) {
    for (const UiCommand& other : commands_) {
      if (std::find(other.keys.begin(), other.keys.end(), chord) == other.keys.end()) continue;
      const bool never_meet = (!other.view.empty() && !command.view.empty() && other.view != command.view) ||
                              static_cast<bool>(other.owns_keys) != static_cast<bool>(command.owns_keys);
      check(never_meet,
            fmt::format("'{}' is the key of '{}' and of '{}'", text_from_chord(chord), command.id, other.id));
    }
  }
  commands_.push_back(std::move(command));
}

void CommandTable::remove(std::string_view id_prefix) {
  std::erase_if(commands_, [&](const UiCommand& command) { return command.id.starts_with(id_prefix); });
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

std::string CommandTable::run(std::string_view id, const std::string& value) const {
  std::string reason = why_disabled(id);
  if (!reason.empty()) return reason;
  const UiCommand& command = *find(id);
  if (!command.argument) return "'" + command.words + "' takes no value";
  reason = problem_with(*command.argument, value);
  if (!reason.empty()) return reason;
  const bool is_choice = command.argument->kind == CommandArgument::Kind::Choice;
  command.run_with(is_choice ? meant_choice(command.argument->choices(), value) : value);
  return "";
}

std::vector<const UiCommand*> CommandTable::search(std::string_view query) const {
  struct Found {
    int score;
    bool may_run;
    const UiCommand* command;
  };
  std::vector<Found> found;
  for (const UiCommand& command : commands_) {
    // What it is called counts more than where it stands.
    const int by_words = 2 * fuzzy_score(query, command.words);
    const int by_all = fuzzy_score(query, command.words + " " + command.category + " " + command.id);
    if (by_words <= 0 && by_all <= 0) continue;
    const bool may_run = !command.why_disabled || command.why_disabled().empty();
    found.push_back({std::max(by_words, by_all), may_run, &command});
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::pair(a.score, a.may_run) > std::pair(b.score, b.may_run);
  });
  std::vector<const UiCommand*> commands;
  for (const Found& one : found) commands.push_back(one.command);
  return commands;
}

std::vector<const UiCommand*> CommandTable::nearest(std::string_view query, std::size_t most) const {
  std::vector<std::pair<double, const UiCommand*>> ranked;
  for (const UiCommand& command : commands_) ranked.emplace_back(likeness(query, command.words), &command);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const UiCommand*> commands;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) commands.push_back(ranked[i].second);
  return commands;
}

}  // namespace sparsescope::viz
