// What the dialog for a new run remembers while it is open.
#pragma once

#include <optional>
#include <string>

#include "viz/model/new_run_form.h"

namespace sparsescope::frame {

struct State;

struct NewRunDialog {
  std::optional<viz::NewRunForm> form;  // nothing: this program cannot make one
  std::string why_none;                 // one sentence, when it cannot
  std::string search;
  bool shows_advanced = false;
  bool shows_changed_only = false;
  std::string file;     // where the experiment would be saved
  std::string outcome;  // of saving: one sentence
  bool has_saved = false;
};

// Opens the dialog with a preset's values; empty: the preset used last, or the first.
void open_new_run(State& state, const std::string& preset);
void draw_new_run(State& state);
void add_new_run_commands(State& state);

}  // namespace sparsescope::frame
