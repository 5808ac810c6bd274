// Commands of which run is looked at and which stand beside it; and of runs that did not come.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "viz/frame/command_builder.h"
#include "viz/model/pairing.h"

namespace sparsescope::frame {
namespace {

std::string why_none(State& state) {
  return state.run() != nullptr ? "" : "there is no run yet: train a preset or open a recording";
}

// Another run than the selected one that is shown beside it.
bool is_compared(const State& state, std::uint32_t id) {
  const viz::Comparison& comparison = state.selection.comparison;
  return comparison.baseline == id || std::ranges::find(comparison.beside, id) != comparison.beside.end();
}

std::size_t runs_shown(State& state) {
  std::size_t shown = 1;
  for (const auto& run : state.timeline.runs())
    shown += run.get() != state.run() && is_compared(state, run->id()) ? 1 : 0;
  return shown;
}

bool has_beside(State& state) {
  const std::vector<std::uint32_t>& beside = state.selection.comparison.beside;
  return std::ranges::any_of(beside, [&](std::uint32_t id) {
    return id != state.run()->id() && state.timeline.find(id) != nullptr;
  });
}

// The next listed run that is not shown yet, round the end; nothing: all are, or no more may be.
std::optional<std::uint32_t> next_to_compare(State& state) {
  if (runs_shown(state) >= viz::kMostRunsCompared) return std::nullopt;
  std::vector<std::uint32_t> listed = viz::listed_runs(state.timeline, state.run_list.settings);
  const auto here = std::ranges::find(listed, state.run()->id());
  if (here != listed.end()) std::ranges::rotate(listed, std::next(here));
  for (std::uint32_t id : listed) {
    if (id != state.run()->id() && !is_compared(state, id)) return id;
  }
  return std::nullopt;
}

// One run more beside the selected one; past the last, none.
void compare_next(State& state) {
  std::vector<std::uint32_t>& beside = state.selection.comparison.beside;
  if (const std::optional<std::uint32_t> next = next_to_compare(state)) {
    std::erase(beside, state.run()->id());
    beside.push_back(*next);
  } else {
    beside.clear();
  }
}

std::string why_not_compared(State& state) {
  if (const std::string reason = why_none(state); !reason.empty()) return reason;
  return state.timeline.runs().size() > 1 ? "" : "only one run is open";
}

void compare_with(State& state, const std::string& title) {
  std::vector<std::uint32_t>& beside = state.selection.comparison.beside;
  for (const auto& run : state.timeline.runs()) {
    if (run_title(state, *run) != title) continue;
    if (std::erase(beside, run->id()) == 0) beside.push_back(run->id());
  }
}

void toggle_baseline(State& state) {
  std::optional<std::uint32_t>& baseline = state.selection.comparison.baseline;
  const std::uint32_t id = state.run()->id();
  baseline = baseline == id ? std::optional<std::uint32_t>{} : id;
}

std::vector<std::string> titles(State& state) {
  std::vector<std::string> names;
  for (const auto& run : state.timeline.runs()) names.push_back(run_title(state, *run));
  return names;
}

viz::CommandArgument which_other_run(State& state) {
  viz::CommandArgument run{viz::CommandArgument::Kind::Choice, "run"};
  run.choices = [&state] {
    std::vector<std::string> names = titles(state);
    if (state.run() != nullptr) std::erase(names, run_title(state, *state.run()));
    return names;
  };
  run.why_not = [&state](const std::string& title) -> std::string {
    for (const auto& other : state.timeline.runs()) {
      if (run_title(state, *other) != title) continue;
      if (is_compared(state, other->id()) || runs_shown(state) < viz::kMostRunsCompared) return "";
    }
    return fmt::format("{} runs are shown already; take one out first", viz::kMostRunsCompared);
  };
  return run;
}

// --- side by side ---

std::string why_not_paired(State& state) {
  if (const std::string reason = why_none(state); !reason.empty()) return reason;
  const viz::View* view = view_in_front(state);
  if (view == nullptr) return "no view is open";
  return view->can_pair() ? "" : "this view shows every run's samples by itself";
}

bool is_on_in_front(State& state, const char* setting) {
  const viz::View* view = view_in_front(state);
  return view != nullptr && view->settings().value(setting, false);
}

void change_in_front(State& state, const nlohmann::json& changes) {
  viz::View* view = view_in_front(state);
  nlohmann::json settings = view->settings();
  settings.update(changes);
  view->set_settings(settings);
}

// The picked run is A of every comparison, which the view in front shows at once where it is side by side.
void pick_second(State& state, const std::string& title) {
  for (const auto& run : state.timeline.runs()) {
    if (run_title(state, *run) == title) state.selection.comparison.baseline = run->id();
  }
  if (is_on_in_front(state, "side_by_side")) change_in_front(state, {{"beside_step", -1}});
}

void add_side_by_side(State& state, CommandBuilder& table, viz::CommandArgument second) {
  const Reason needs_pair = [&state] { return why_not_paired(state); };
  table
      .ask(
          "compare.pick", std::string(viz::kPickSecondRun) + " as baseline A…", {"Alt+A"}, std::move(second),
          [&state](const std::string& title) { pick_second(state, title); },
          [&state] { return why_not_compared(state); })
      .add(
          "compare.side_by_side", "The view in front side by side with the compared run, or alone", {"Alt+S"},
          [&state] {
            change_in_front(state,
                            {{"side_by_side", !is_on_in_front(state, "side_by_side")}, {"beside_step", -1}});
          },
          needs_pair, [&state] { return is_on_in_front(state, "side_by_side"); })
      .add(
          "compare.beside_step",
          "The view in front side by side with itself at the pinned step, or at this one", {"Alt+Shift+S"},
          [&state] {
            const viz::Cursor& cursor = state.timeline.cursor();
            const std::uint64_t here = cursor.is_following() ? state.run()->newest_step() : cursor.step();
            change_in_front(
                state, {{"side_by_side", true}, {"beside_step", state.selection.locked.step.value_or(here)}});
          },
          needs_pair)
      .add(
          "compare.flip", "The other run in place of this one in the view in front, and back", {"B"},
          [&state] {
            change_in_front(state, {{"other_run", !is_on_in_front(state, "other_run")}});
          },
          [&state]() -> std::string {
            if (const std::string reason = why_not_paired(state); !reason.empty()) return reason;
            if (is_on_in_front(state, "side_by_side")) return "both runs are shown already";
            const viz::Comparison& comparison = state.selection.comparison;
            const bool has_baseline = comparison.baseline && comparison.baseline != state.run()->id();
            return has_baseline || has_beside(state) ? "" : "no run is compared: Alt+A picks a second one";
          },
          [&state] { return is_on_in_front(state, "other_run"); })
      .add(
          "compare.link_cameras", "Link the cameras of both sides, or move each alone", {"Alt+L"},
          [&state] {
            change_in_front(state, {{"link_cameras", !is_on_in_front(state, "link_cameras")}});
          },
          [&state]() -> std::string {
            if (const std::string reason = why_not_paired(state); !reason.empty()) return reason;
            if (!is_on_in_front(state, "side_by_side")) return "the view in front is not side by side";
            return view_in_front(state)->has_camera()
                       ? ""
                       : "its only camera is the time axis, which all views share";
          },
          [&state] { return is_on_in_front(state, "link_cameras"); });
}

viz::CommandArgument which_run(State& state) {
  viz::CommandArgument run{viz::CommandArgument::Kind::Choice, "run"};
  run.choices = [&state] { return titles(state); };
  run.current = [&state] { return state.run() != nullptr ? run_title(state, *state.run()) : std::string(); };
  return run;
}

void select_run(State& state, const std::string& title) {
  for (const auto& run : state.timeline.runs()) {
    if (run_title(state, *run) == title) state.selection.run = run->id();
  }
}

const viz::Feed* loading_feed(State& state) {
  const viz::Run* run = state.run();
  const viz::Feed* feed = run != nullptr ? state.timeline.feed(run->id()) : nullptr;
  if (feed == nullptr || !feed->progress || !feed->cancel_loading || run->end() != nullptr) return nullptr;
  const viz::LoadProgress progress = feed->progress();
  return progress.rows_read < progress.rows_total ? feed : nullptr;
}

// A run of the trainer begins again; a recording is opened again in its place.
void retry(State& state) {
  viz::Run& run = *state.run();
  if (state.is_trainers(run)) return start_preset(state, preset_to_start(state));
  const std::string path = state.timeline.feed(run.id())->path;
  state.timeline.remove_run(run.id());
  open_file(state, path);
}

std::string why_no_retry(State& state) {
  viz::Run* run = state.run();
  if (run == nullptr) return why_none(state);
  const bool has_failed = (run->end() != nullptr && run->end()->status == trace::RunStatus::Failed) ||
                          (state.is_trainers(*run) && state.trainer->state == TrainerStatus::State::Failed);
  if (!has_failed) return "this run did not fail";
  if (state.is_trainers(*run)) return state.host.why_no_training();
  const viz::Feed* feed = state.timeline.feed(run->id());
  return feed != nullptr && !feed->path.empty() ? "" : "no file stands behind this run";
}

}  // namespace

// Two runs may share a title; then the later one carries its place in the list.
std::string run_title(State& state, const viz::Run& run) {
  const auto plain = [&](const viz::Run& one) {
    const std::string name = viz::run_name(state.timeline, one);
    return name.empty() ? std::string("run") : name;
  };
  const std::string title = plain(run);
  int same_before = 0;
  for (const auto& other : state.timeline.runs()) {
    if (other->id() == run.id()) break;
    same_before += plain(*other) == title ? 1 : 0;
  }
  return same_before == 0 ? title : fmt::format("{} ({})", title, same_before + 1);
}

void add_comparison_commands(State& state) {
  CommandBuilder table(state);
  const Reason needs_run = [&state] { return why_none(state); };
  table.in("Runs")
      .ask(
          "run.select", "Look at a run…", {"Ctrl+R"}, which_run(state),
          [&state](const std::string& title) { select_run(state, title); }, needs_run)
      .add(
          "run.pin_baseline", "Pin this run as the baseline A, or unpin it", {"Ctrl+Shift+A"},
          [&state] { toggle_baseline(state); }, needs_run,
          [&state] {
            return state.run() != nullptr && state.selection.comparison.baseline == state.run()->id();
          })
      .add(
          "run.compare", "Compare with the next run too; past the last, with none", {"C"},
          [&state] { compare_next(state); }, [&state] { return why_not_compared(state); },
          [&state] { return state.run() != nullptr && has_beside(state); })
      .ask(
          "run.compare_with", "Compare with a run, or no longer…", {"Alt+C"}, which_other_run(state),
          [&state](const std::string& title) { compare_with(state, title); },
          [&state] { return why_not_compared(state); })
      .add(
          "run.clear_comparison", "Compare with no run, and unpin the baseline", {"Shift+C"},
          [&state] { state.selection.comparison = {}; },
          [&state]() -> std::string {
            const viz::Comparison& comparison = state.selection.comparison;
            return comparison.baseline || !comparison.beside.empty() ? "" : "no run is compared";
          })
      .add(
          "run.cancel_loading", "Stop reading the recording; keep what came", {},
          [&state] { loading_feed(state)->cancel_loading(); },
          [&state]() -> std::string { return loading_feed(state) != nullptr ? "" : "nothing is being read"; })
      .add(
          "run.retry", "Begin or open the failed run again", {"F9"}, [&state] { retry(state); },
          [&state] { return why_no_retry(state); });
  viz::CommandArgument second = which_other_run(state);
  second.why_not = {};  // as A it takes no one's place but A's
  add_side_by_side(state, table, std::move(second));
}

}  // namespace sparsescope::frame
