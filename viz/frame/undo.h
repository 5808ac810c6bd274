// Undo and redo of what the window shows and what a person wrote beside a run: locks, time window, view
// settings, charts of the timeline, layout, appearance, hidden and closed runs, bookmarks, notes, names,
// tags. Never of training, which has events and inverses of its own.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

namespace sparsescope::frame {

struct State;

class UndoHistory {
 public:
  // Once a frame, at its end: what has come to rest since the last time is one step. While a button is held
  // or a value is dragged nothing comes to rest.
  void update(State& state);
  // What the window shows now is no change of a person's: another size of the window, another run.
  void rebase() { frames_to_settle_ = kSettleFrames; }

  // `change` is a step of its own, whatever else the window does because of it.
  void as_step(State& state, const std::function<void()>& change);

  bool can_undo(State& state);
  bool can_redo() const { return !future_.empty(); }
  void undo(State& state);
  void redo(State& state);
  std::size_t steps() const { return past_.size(); }

 private:
  static constexpr int kSettleFrames = 5;  // docking takes a few frames to follow
  static constexpr int kRestFrames = 2;    // without a change: a step is over
  static constexpr std::size_t kMostSteps = 500;

  void commit(nlohmann::json now);
  void go_to(State& state, nlohmann::json target);

  std::vector<nlohmann::json> past_, future_;
  nlohmann::json present_, candidate_;
  int frames_at_rest_ = 0, frames_to_settle_ = kSettleFrames;
};

// What undo goes back to, and the way back.
nlohmann::json snapshot(const State& state);
void restore(State& state, const nlohmann::json& snapshot);
void add_undo_commands(State& state);

}  // namespace sparsescope::frame
