// What a person may set for the whole program, as one table: dialog, file and palette read it. Values are
// text by their kind; what a setting does is bound by the window. View settings are no part of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "viz/model/commands.h"

namespace sparsescope::viz {

struct Setting {
  enum class Kind { Switch, Number, Choice, Text };
  std::string id;       // "appearance.theme"
  std::string section;  // "Appearance"
  std::string words;    // "Theme"
  std::string text;     // one sentence: what it does
  Kind kind = Kind::Switch;
  std::string standard;  // the value that Reset gives; switches are "on" or "off"
  std::function<std::string()> get;
  std::function<void(const std::string&)> set;  // called with values that will do
  std::vector<std::string> choices = {};
  Range range = {};
  std::string unit = {};
  std::function<std::string(const std::string&)> why_not = {};  // a further rule: "" or one sentence

  bool is_standard() const { return get() == standard; }
};
// What the palette asks for when this setting is set.
CommandArgument argument_of(const Setting& setting);

class SettingsTable {
 public:
  // Throws std::logic_error when the id is taken or something is missing.
  void add(Setting setting);
  const std::vector<Setting>& all() const { return settings_; }
  const Setting* find(std::string_view id) const;
  // Sets it, or returns why not; numbers become plain ("1,000" -> "1000").
  std::string set(std::string_view id, const std::string& value) const;
  void reset(std::string_view id) const;
  // Settings whose section, words or text fit what is typed, in the order of the table.
  std::vector<const Setting*> search(std::string_view query) const;

  // JSON with a comment before each value.
  std::string file_text() const;
  // Takes the values of such a text; what is missing keeps its value. Returns one sentence for each that will
  // not do. Throws Error when it is no JSON.
  std::vector<std::string> read(const std::string& text) const;

 private:
  std::vector<Setting> settings_;
};

}  // namespace sparsescope::viz
