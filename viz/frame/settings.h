// The settings of the window: the table's rows, and the dialog that shows them.
#pragma once

#include <string>

namespace sparsescope::frame {

struct State;

// What the settings dialog is showing.
struct SettingsDialog {
  bool is_open = false, wants_focus = false;
  std::string query;
  std::string editing;  // id of the setting whose text is being typed
  std::string typed, problem;
};

// Fills state.settings, reads what was kept, and adds a command for each; called once.
void add_settings(State& state);
// Between frames: gives the program what changed, to keep.
void keep_settings(State& state);
// The present budget of watching goes to a trainer that just began.
void apply_budget(State& state);
void draw_settings(State& state);

}  // namespace sparsescope::frame
