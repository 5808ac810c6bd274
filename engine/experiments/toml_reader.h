// Private to engine/experiments: TOML files as tables, and their keys set one by one with the line that is
// wrong.
#pragma once

#include <toml++/toml.h>

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "engine/experiments/fields.h"

namespace sparsescope::experiments {

// Throws Error for a file that is missing or unreadable, and (Usage, with its line) for one that is not TOML.
toml::table table_of_file(const std::string& path);

// A failure of usage: "mine.toml, line 3: ...".
[[noreturn]] void fail_at(const std::string& path, const toml::node& node, const std::string& sentence);

// Sets keys of an experiment from the tables of a file.
class TomlReader {
 public:
  // `own_words`: entries at the top of a table that are no keys of an experiment.
  TomlReader(std::string path, Experiment& experiment, std::initializer_list<std::string_view> own_words)
      : path_(std::move(path)), experiment_(experiment), own_words_(own_words) {}

  // Sets every value under `table`, and in the profile "cpu" then those under its table `cpu`. Throws Error
  // (Usage) naming file, line and key.
  void read(const toml::table& table);

 private:
  void apply(const toml::table& table, const std::string& prefix);
  void set(const std::string& name, const toml::node& node);

  std::string path_;
  Experiment& experiment_;
  std::set<std::string_view> own_words_;
};

}  // namespace sparsescope::experiments
