#include "viz/frame/undo.h"

#include <algorithm>
#include <set>
#include <utility>

#include "imgui.h"
#include "viz/frame/bookmarks.h"
#include "viz/frame/command_builder.h"
#include "viz/frame/layouts.h"
#include "viz/frame/time_choices.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

template <typename T>
json json_of(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json json_of(const std::optional<viz::Range>& range) {
  return range ? json{range->minimum, range->maximum} : json();
}

template <typename T>
void take(const json& value, std::optional<T>& into) {
  value.is_null() ? into.reset() : (void)(into = value.get<T>());
}

void take(const json& value, std::optional<viz::Range>& into) {
  value.is_null() ? into.reset() : (void)(into = viz::Range{value[0].get<double>(), value[1].get<double>()});
}

// One list of what is locked, for both ways.
template <typename MarksType, typename Visit>
void each_mark(MarksType& marks, Visit visit) {
  visit("step", marks.step);
  visit("x", marks.x);
  visit("layer", marks.layer);
  visit("head", marks.head);
  visit("token", marks.token);
  visit("vocabulary_id", marks.vocabulary_id);
  visit("source", marks.source);
  visit("slot", marks.slot);
  visit("second_token", marks.second_token);
}

json selection_now(const viz::Selection& selection) {
  json locked = json::object();
  each_mark(selection.locked, [&](const char* name, const auto& mark) { locked[name] = json_of(mark); });
  return {{"locked", locked},
          {"brush", json_of(selection.brush)},
          {"baseline", json_of(selection.comparison.baseline)},
          {"beside", selection.comparison.beside}};
}

void restore_selection(viz::Selection& selection, const json& from) {
  each_mark(selection.locked, [&](const char* name, auto& mark) { take(from["locked"][name], mark); });
  take(from["brush"], selection.brush);
  take(from["baseline"], selection.comparison.baseline);
  selection.comparison.beside = from["beside"].get<std::vector<std::uint32_t>>();
}

// A range that goes with the newest step, or was frozen by leaving it, is nobody's choice.
json window_now(const State& state) {
  const viz::TimeWindow& window = state.timeline.window();
  const bool is_chosen = window.chosen() && window.chosen() != state.time_bar.sliding &&
                         window.chosen() != state.time_bar.frozen;
  return {{"axis", static_cast<int>(window.axis())},
          {"chosen", is_chosen ? json_of(window.chosen()) : json()}};
}

void restore_window(viz::TimeWindow& window, const json& from) {
  window.set_axis(static_cast<viz::TimeAxis>(from["axis"].get<int>()));
  std::optional<viz::Range> chosen;
  take(from["chosen"], chosen);
  chosen ? window.choose(*chosen) : window.fit();
}

json views_now(const State& state) {
  json views = json::object();
  for (const State::Slot& slot : state.slots) views[std::string(slot.view->id())] = slot.view->settings();
  return views;
}

// The time axis and the smoothing come back with the window and the views; the budget is the trainer's, too.
bool is_undone(const viz::Setting& setting) {
  return setting.id.starts_with("appearance.") || setting.id.starts_with("recording.");
}

json settings_now(const State& state) {
  json settings = json::object();
  for (const viz::Setting& setting : state.settings.all()) {
    if (is_undone(setting)) settings[setting.id] = setting.get();
  }
  return settings;
}

json runs_now(const State& state) {
  return {{"closed", state.timeline.closed_runs()},
          {"hidden", state.run_list.settings.hidden},
          {"shows_hidden", state.run_list.settings.shows_hidden}};
}

std::optional<std::uint32_t> run_looked_at(const State& state) {
  const viz::Run* run = state.timeline.current(state.selection.run);
  return run != nullptr ? std::optional(run->id()) : std::nullopt;
}

// Closes and reopens runs until those are open that were, and looks at the one that was looked at.
void restore_runs(State& state, const json& runs, const json& looked_at) {
  const auto was_closed = runs["closed"].get<std::vector<std::uint32_t>>();
  const std::vector<std::uint32_t> is_closed = state.timeline.closed_runs();
  for (auto id = is_closed.rbegin(); id != is_closed.rend(); ++id) {
    if (std::ranges::find(was_closed, *id) == was_closed.end()) state.timeline.reopen_run(*id);
  }
  for (std::uint32_t id : was_closed) {
    const viz::Run* run = state.timeline.find(id);
    if (run != nullptr && !state.trains(*run)) state.timeline.close_run(id);
  }
  state.run_list.settings.hidden = runs["hidden"].get<std::set<std::uint32_t>>();
  state.run_list.settings.shows_hidden = runs["shows_hidden"].get<bool>();
  take(looked_at, state.selection.run);
}

}  // namespace

json snapshot(const State& state) {
  return {{"focus", state.focused_view},
          {"looked_at", json_of(run_looked_at(state))},
          {"runs", runs_now(state)},
          {"selection", selection_now(state.selection)},
          {"window", window_now(state)},
          {"views", views_now(state)},
          {"settings", settings_now(state)},
          {"annotations", annotations_now(state)},
          {"time_bar", time_bar_now(state)},
          {"panels", {{"side", state.show_side_panels}, {"hidden", state.hide_interface}}},
          {"layout", layout_now(state)}};
}

void restore(State& state, const json& from) {
  if (runs_now(state) != from["runs"]) restore_runs(state, from["runs"], from["looked_at"]);
  for (const auto& [id, value] : from["settings"].items()) {
    if (state.settings.find(id)->get() != value) state.settings.set(id, value.get<std::string>());
  }
  state.show_side_panels = from["panels"]["side"].get<bool>();
  state.hide_interface = from["panels"]["hidden"].get<bool>();
  for (const State::Slot& slot : state.slots) {
    const json& settings = from["views"][std::string(slot.view->id())];
    if (slot.view->settings() != settings) slot.view->set_settings(settings);
  }
  restore_selection(state.selection, from["selection"]);
  restore_annotations(state, from["annotations"]);
  if (time_bar_now(state) != from["time_bar"]) take_time_bar(state, from["time_bar"]);
  if (window_now(state) != from["window"]) restore_window(state.timeline.window(), from["window"]);
  if (from["layout"].is_object() && layout_now(state) != from["layout"]) apply_layout(state, from["layout"]);
  if (is_in_front(from["layout"], from["focus"])) state.view_to_show = from["focus"].get<std::string>();
}

namespace {

// Which view is in front of the keyboard and which run is looked at come back with a step, but are none of
// their own.
bool is_same(const json& a, const json& b) {
  return a.size() == b.size() && std::all_of(a.items().begin(), a.items().end(), [&](const auto& part) {
           return part.key() == "focus" || part.key() == "looked_at" ||
                  (b.contains(part.key()) && b[part.key()] == part.value());
         });
}

}  // namespace

void UndoHistory::commit(json now) {
  if (is_same(now, present_)) {
    present_ = std::move(now);
    return;
  }
  past_.push_back(std::exchange(present_, std::move(now)));
  if (past_.size() > kMostSteps) past_.erase(past_.begin());
  future_.clear();
}

void UndoHistory::update(State& state) {
  if (ImGui::IsAnyMouseDown() || ImGui::IsAnyItemActive()) {
    frames_at_rest_ = 0;
    return;
  }
  json now = snapshot(state);
  if (frames_to_settle_ > 0) {
    --frames_to_settle_;
    present_ = candidate_ = std::move(now);
    return;
  }
  frames_at_rest_ = is_same(now, candidate_) ? frames_at_rest_ + 1 : 0;
  candidate_ = std::move(now);
  if (frames_at_rest_ >= kRestFrames) commit(candidate_);
}

void UndoHistory::as_step(State& state, const std::function<void()>& change) {
  json before = snapshot(state);
  if (frames_to_settle_ == 0) commit(before);
  past_.push_back(std::move(before));
  if (past_.size() > kMostSteps) past_.erase(past_.begin());
  future_.clear();
  change();
  present_ = snapshot(state);
  rebase();
}

bool UndoHistory::can_undo(State& state) {
  return !past_.empty() || (frames_to_settle_ == 0 && !is_same(snapshot(state), present_));
}

void UndoHistory::go_to(State& state, json target) {
  restore(state, target);
  present_ = std::move(target);
  frames_to_settle_ = kSettleFrames;
}

void UndoHistory::undo(State& state) {
  if (frames_to_settle_ == 0) commit(snapshot(state));
  if (past_.empty()) return;
  json target = std::move(past_.back());
  past_.pop_back();
  future_.push_back(std::move(present_));
  go_to(state, std::move(target));
}

void UndoHistory::redo(State& state) {
  if (future_.empty()) return;
  json target = std::move(future_.back());
  future_.pop_back();
  past_.push_back(std::move(present_));
  go_to(state, std::move(target));
}

void add_undo_commands(State& state) {
  CommandBuilder table(state);
  table.in("Window")
      .add(
          "window.undo", "Undo the last change of view, layout, bookmarks or names; reopen a closed run",
          {"Ctrl+Z"}, [&state] { state.undo.undo(state); },
          [&state]() -> std::string { return state.undo.can_undo(state) ? "" : "nothing was changed"; })
      .add(
          "window.redo", "Redo what was undone", {"Ctrl+Shift+Z", "Ctrl+Y"},
          [&state] { state.undo.redo(state); },
          [&state]() -> std::string { return state.undo.can_redo() ? "" : "nothing was undone"; });
}

}  // namespace sparsescope::frame
