// The table of everything a person can do: menus, keys, palette, cheat sheet and tests read it. What the
// commands do is bound by the window; nothing here draws.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

struct UiCommand {
  std::string id;              // "timeline.play"
  std::string words;           // "Play or pause the replay"
  std::string category;        // "Timeline"
  std::vector<KeyChord> keys;  // the first is shown
  std::function<void()> run;
  std::function<std::string()> why_disabled;  // empty function or empty answer: enabled; else one sentence
  std::function<bool()> is_on;                // toggles only
  KeyRepeat repeat = KeyRepeat::Once;
};

class CommandTable {
 public:
  // Throws std::logic_error when the id is taken, a key is taken, or words, category or run are missing.
  void add(UiCommand command);
  const std::vector<UiCommand>& all() const { return commands_; }
  const UiCommand* find(std::string_view id) const;
  const UiCommand* find(const KeyChord& chord) const;
  // Empty: it may run now.
  std::string why_disabled(std::string_view id) const;
  // Runs it, or returns why not: the disabled reason, or that no such command exists. Empty: done.
  std::string run(std::string_view id) const;
  // Commands whose words, category or id contain all words of `query`, best first (for the palette).
  std::vector<const UiCommand*> search(std::string_view query) const;

 private:
  std::vector<UiCommand> commands_;
};

}  // namespace sparsescope::viz
