// How rows of the command table are written, and what several groups of them share. The groups are
// commands_*.cpp, one function each.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "viz/frame/state.h"

namespace sparsescope::frame {

using Deed = std::function<void()>;
using Reason = std::function<std::string()>;

class CommandBuilder {
 public:
  explicit CommandBuilder(State& state) : state_(state) {}
  // Of the rows that follow.
  CommandBuilder& in(std::string category) {
    category_ = std::move(category);
    return *this;
  }
  // The rows that follow belong to this view; empty: to the window.
  CommandBuilder& of_view(std::string view) {
    view_ = std::move(view);
    return *this;
  }
  CommandBuilder& add(std::string id, std::string words, std::vector<const char*> keys, Deed run,
                      Reason why_disabled = {}, std::function<bool()> is_on = {});
  // Its keys are its own while `owns_keys` says so, and repeat while they are held; it may only run then.
  CommandBuilder& add_owner(std::string id, std::string words, std::vector<const char*> keys, Deed run,
                            std::function<bool()> owns_keys, std::string why_not);
  // Its keys repeat while they are held.
  CommandBuilder& add_held(std::string id, std::string words, std::vector<const char*> keys, Deed run,
                           Reason why_disabled);
  // Asks for a value in the palette, then runs with it.
  CommandBuilder& ask(std::string id, std::string words, std::vector<const char*> keys,
                      viz::CommandArgument argument, std::function<void(const std::string&)> run_with,
                      Reason why_disabled = {});

 private:
  State& state_;
  std::string category_, view_;
};

// --- one function a group ---
void add_training_commands(State& state);
void add_control_commands(State& state);  // of the trainer's present list of controls
void add_time_commands(State& state);
void add_selection_commands(State& state);
void add_comparison_commands(State& state);  // which run is looked at, and beside which others
void add_needle_commands(State& state);      // hide a needle, evaluate at a context
void add_view_commands(State& state);
void add_cell_commands(State& state);  // walking through the cells of the view in front
void add_file_commands(State& state);
void add_window_commands(State& state);

// --- reasons that many rows give ---
std::string why_no_run(State& state);
std::string why_no_trainer(State& state);

// "Pause at a step" -> the command's question in the palette.
void ask_in_palette(State& state, const std::string& command);

}  // namespace sparsescope::frame
