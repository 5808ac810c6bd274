// Commands of walking through the cells and tokens of the view in front. While one is held the arrows are the
// view's; else they move in time.
#include "viz/frame/command_builder.h"

namespace sparsescope::frame {
namespace {

constexpr const char* kNothingHeld = "no cell is held: Enter takes hold of one in the view in front";

bool holds_cell(State& state) {
  const viz::View* view = view_in_front(state);
  return view != nullptr && view->is_walking();
}

std::string why_no_cells(State& state) {
  if (state.run() == nullptr) return why_no_run(state);
  const viz::View* view = view_in_front(state);
  if (view == nullptr) return "no view is open";
  return view->has_cells() ? "" : "the view in front has no cells or tokens to walk through";
}

void walk(State& state, viz::Walk key) {
  viz::ViewContext context{state.timeline, state.selection};
  if (viz::View* view = view_in_front(state)) view->walk(context, key);
}

}  // namespace

void add_cell_commands(State& state) {
  CommandBuilder table(state);
  table.in("Cells").add(
      "cells.enter", "Take hold of a cell or token of the view in front; then lock it", {"Enter"},
      [&state] { walk(state, viz::Walk::Enter); }, [&state] { return why_no_cells(state); });
  struct Move {
    const char *id, *words, *key;
    viz::Walk walk;
  };
  constexpr Move kMoves[] = {
      {"cells.left", "The held cell: left", "Left", viz::Walk::Left},
      {"cells.right", "The held cell: right", "Right", viz::Walk::Right},
      {"cells.up", "The held cell: up", "Up", viz::Walk::Up},
      {"cells.down", "The held cell: down", "Down", viz::Walk::Down},
      {"cells.far_left", "The held cell: ten to the left", "Shift+Left", viz::Walk::FarLeft},
      {"cells.far_right", "The held cell: ten to the right", "Shift+Right", viz::Walk::FarRight},
      {"cells.far_up", "The held cell: ten up", "Shift+Up", viz::Walk::FarUp},
      {"cells.far_down", "The held cell: ten down", "Shift+Down", viz::Walk::FarDown}};
  for (const Move& move : kMoves) {
    table.add_owner(
        move.id, move.words, {move.key}, [&state, key = move.walk] { walk(state, key); },
        [&state] { return holds_cell(state); }, kNothingHeld);
  }
  table.add_owner(
      "cells.leave", "Let go of the held cell", {"Escape"}, [&state] { walk(state, viz::Walk::Leave); },
      [&state] {
        // What lies over the views goes first.
        const bool is_covered = state.palette.is_open || state.show_cheat_sheet ||
                                state.settings_dialog.is_open || state.show_jobs || state.show_start_page;
        return holds_cell(state) && !is_covered;
      },
      kNothingHeld);
}

}  // namespace sparsescope::frame
