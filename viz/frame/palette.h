// The command palette: everything by name. Commands, and by a first letter runs (@), tokens (:), steps (#)
// and settings (,). What it is showing; drawing is in palette.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sparsescope::frame {

struct State;

struct PaletteState {
  bool is_open = false, wants_focus = false;
  bool moves_to_end = false;  // of what stands in the field, once it has the keyboard
  std::string query;
  int chosen = 0;
  int opening = 0;       // how many times it was opened before
  std::string asks_for;  // id of the command whose value is asked for; empty: something is searched
  std::string problem;   // why the value will not do
};

struct PaletteItem {
  std::string words, category;
  std::string key;      // as it is shown; may be empty
  std::string reason;   // why it may not be chosen now; empty: it may
  std::string command;  // id of the command it runs
  std::string value;    // that it runs with, when the command asks for one and `has_value`
  bool has_value = false;
};

struct PaletteList {
  std::vector<PaletteItem> items;
  std::string remark;  // "Nothing is called that. Nearest:", else empty
};

// What the palette offers for what is typed; never empty.
PaletteList palette_list(State& state);
// Runs what was chosen, or opens its question. What cannot run stays and says why.
void choose(State& state, const PaletteItem& item);

}  // namespace sparsescope::frame
