// The table of everything a person can do: menus, keys, palette, cheat sheet and tests read it. What the
// commands do is bound by the window; nothing here draws.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viz/model/format.h"

namespace sparsescope::viz {

struct KeyChord {
  std::string key;  // "A", "5", "Space", "Left", "Home", "PageDown", "F5", "Escape", "Enter", "Tab", "[",
                    // ",", "/", "+"
  bool control = false, shift = false, alt = false;
  bool operator==(const KeyChord&) const = default;
};
// "Ctrl+Shift+P" <-> chord. Throws std::logic_error for what is no chord: chords are written in our own code.
KeyChord chord_from_text(std::string_view text);
std::string text_from_chord(const KeyChord& chord);

enum class KeyRepeat { Once, WhileHeld };  // what a held key does

// What a command asks for before it runs: one value, typed or chosen.
struct CommandArgument {
  enum class Kind { Number, WholeNumber, Choice, Text };
  Kind kind = Kind::Text;
  std::string name;                                             // "learning rate scale"
  std::string unit;                                             // "steps/s"; empty: none
  std::function<Range()> range = {};                            // of numbers; empty: any
  std::function<std::vector<std::string>()> choices = {};       // of a choice
  std::function<std::string()> current = {};                    // the present value as it would be typed
  std::function<std::string(const std::string&)> why_not = {};  // a further rule: "" or one sentence
};
// The choice that `value` means: its name, or as much of its beginning as no other shares, letter case
// ignored; `value` itself when there is none such.
std::string meant_choice(const std::vector<std::string>& choices, const std::string& value);
// Empty when `value` will do, else one sentence that says what would.
std::string problem_with(const CommandArgument& argument, const std::string& value);
// The number in `text`, which may separate thousands by commas or spaces; nothing: it is none.
std::optional<double> number_from_text(std::string text);

struct UiCommand {
  std::string id;              // "timeline.play"
  std::string words;           // "Play or pause the replay"
  std::string category;        // "Timeline"
  std::vector<KeyChord> keys;  // the first is shown
  std::function<void()> run;
  std::function<std::string()> why_disabled;  // empty function or empty answer: enabled; else one sentence
  std::function<bool()> is_on;                // toggles only
  KeyRepeat repeat = KeyRepeat::Once;
  // A command that asks: `run` opens the question, `run_with` does the deed with a value that will do.
  std::optional<CommandArgument> argument = {};
  std::function<void(const std::string& value)> run_with = {};
  // Its keys come before the same keys of other commands while this says so, and do nothing else: arrows move
  // a cell that a view holds, else time.
  std::function<bool()> owns_keys = {};
  std::string view = {};  // id of the view it belongs to: its keys act and show while that view is in front
};

class CommandTable {
 public:
  // Throws std::logic_error when the id is taken, a key is taken (two views may use the same one, and one
  // command that owns its keys at times), or words, category or run are missing.
  void add(UiCommand command);
  // Removes the commands whose ids begin like this: those of things that come and go.
  void remove(std::string_view id_prefix);
  const std::vector<UiCommand>& all() const { return commands_; }
  const UiCommand* find(std::string_view id) const;
  const UiCommand* find(const KeyChord& chord) const;
  // Empty: it may run now.
  std::string why_disabled(std::string_view id) const;
  // Runs it, or returns why not: the disabled reason, or that no such command exists. Empty: done.
  std::string run(std::string_view id) const;
  // The same for a command that asks, with the value it would ask for.
  std::string run(std::string_view id, const std::string& value) const;
  // Commands whose words, category or id hold all words of `query`, at least as a subsequence; best first.
  std::vector<const UiCommand*> search(std::string_view query) const;
  // The `most` commands that are least unlike `query`, best first.
  std::vector<const UiCommand*> nearest(std::string_view query, std::size_t most) const;

 private:
  std::vector<UiCommand> commands_;
};

}  // namespace sparsescope::viz
