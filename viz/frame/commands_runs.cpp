// Commands of the list of runs. Each is about the selected run; comparing and pinning are beside the
// comparison.
#include <fmt/format.h>

#include <algorithm>

#include "engine/trace/error.h"
#include "viz/frame/bookmarks.h"
#include "viz/frame/command_builder.h"
#include "viz/frame/runs.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

constexpr std::size_t kLongestName = 120, kLongestTag = 40;  // bytes

std::string why_none(State& state) {
  return state.run() != nullptr ? "" : "there is no run yet: train a preset or open a recording";
}

std::string path_of(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr) return {};
  if (state.is_trainers(*run) && !state.recorder.path.empty()) return state.recorder.path;
  const viz::Feed* feed = state.timeline.feed(run->id());
  return feed != nullptr ? feed->path : "";
}

// The run before or after the selected one, of those that are listed, round the ends.
void select_neighbour(State& state, int by) {
  const std::vector<std::uint32_t> listed = viz::listed_runs(state.timeline, state.run_list.settings);
  if (listed.empty()) return;
  const auto here = std::ranges::find(listed, state.run()->id());
  const auto size = static_cast<std::ptrdiff_t>(listed.size());
  const std::ptrdiff_t at = here == listed.end() ? (by > 0 ? -1 : 0) : here - listed.begin();
  state.selection.run = listed[static_cast<std::size_t>((at + by + size) % size)];
}

void toggle_hidden(State& state) {
  std::set<std::uint32_t>& hidden = state.run_list.settings.hidden;
  const std::uint32_t id = state.run()->id();
  if (hidden.erase(id) != 0) return;
  // What is hidden is not what is looked at: the next one takes its place.
  select_neighbour(state, 1);
  hidden.insert(id);
}

// What is known of it waits for its being reopened.
void close_run(State& state, std::uint32_t id) {
  const std::string name = run_title(state, *state.timeline.find(id));
  state.run_list.settings.hidden.erase(id);
  viz::Comparison& comparison = state.selection.comparison;
  if (comparison.baseline == id) comparison.baseline.reset();
  std::erase(comparison.beside, id);
  if (state.selection.run == id) state.selection.run.reset();
  state.timeline.close_run(id);
  state.notify(fmt::format("Closed {}; Ctrl+Z opens it again", name), ui::Tone::Neutral);
}

viz::Annotations* annotations_of_selected(State& state) {
  const viz::Run* run = state.run();
  return run != nullptr ? annotations_of(state, *run) : nullptr;
}

std::string why_unnamed(State& state) {
  if (const std::string reason = why_none(state); !reason.empty()) return reason;
  return annotations_of_selected(state) != nullptr ? "" : "the run has not come yet";
}

std::string why_no_tags(const std::string& text) {
  for (const std::string& tag : viz::tags_from_text(text)) {
    if (tag.size() > kLongestTag)
      return fmt::format("a tag has at most {} letters; commas stand between tags", kLongestTag);
  }
  return "";
}

// A name like the recorded title is none, nor is an empty one.
void name_run(State& state, const std::string& name) {
  annotations_of_selected(state)->name_run(name == state.run()->title() ? "" : name);
}

// Of a recording that was not closed, or is damaged: not of one that this window writes.
std::string why_no_recovery(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr) return why_none(state);
  if (state.is_trainers(*run)) return "this window records it itself";
  const viz::Feed* feed = state.timeline.feed(run->id());
  if (feed == nullptr || feed->path.empty()) return "this run has no recording";
  if (run->end() == nullptr) return "it is still being read";
  const bool is_whole =
      run->end()->status == trace::RunStatus::Finished || run->end()->status == trace::RunStatus::Stopped;
  if (is_whole) return "its recording is whole";
  if (run->rows() == 0) return "nothing of it can be read";
  const std::optional<Recovery> last = state.host.recovery();
  return last && last->state == Recovery::State::Running ? "a recovery is under way" : "";
}

void begin_recovery(State& state) {
  try {
    state.host.begin_recovery(path_of(state));
  } catch (const Error& error) {
    state.notify(error.what(), ui::Tone::Error);
  }
}

void add_naming(State& state) {
  using Kind = viz::CommandArgument::Kind;
  const Reason reason = [&state] { return why_unnamed(state); };
  viz::CommandArgument name{Kind::Text, "name, kept beside the recording; empty: its own title"};
  name.current = [&state] {
    return state.run() != nullptr ? viz::run_name(state.timeline, *state.run()) : std::string();
  };
  name.why_not = [](const std::string& text) {
    return text.size() > kLongestName ? fmt::format("a name has at most {} letters", kLongestName)
                                      : std::string();
  };
  viz::CommandArgument tags{Kind::Text, "tags, with commas between them; empty: none"};
  tags.current = [&state] {
    const viz::Annotations* annotations = annotations_of_selected(state);
    return annotations != nullptr ? viz::text_from_tags(annotations->tags()) : std::string();
  };
  tags.why_not = why_no_tags;
  CommandBuilder table(state);
  table.in("Runs")
      .ask(
          "run.set_name", "Name the run…", {}, std::move(name),
          [&state](const std::string& text) { name_run(state, text); }, reason)
      .ask(
          "run.tag", "Tags of the run…", {}, std::move(tags),
          [&state](const std::string& text) {
            annotations_of_selected(state)->set_tags(viz::tags_from_text(text));
          },
          reason);
}

}  // namespace

void follow_recovery(State& state) {
  const std::optional<Recovery> last = state.host.recovery();
  if (!last || last->state == Recovery::State::Running || last->number == state.last_recovery) return;
  state.last_recovery = last->number;
  const std::string name = last->to.substr(last->to.find_last_of('/') + 1);
  if (last->state == Recovery::State::Failed) return state.notify(last->words, ui::Tone::Error);
  state.notify(fmt::format("{}: {}", name, last->words), ui::Tone::Ok);
  open_file(state, last->to);
}

std::optional<viz::TrainedRun> trained_run(const State& state) {
  using S = TrainerStatus::State;
  if (!state.trainer || !state.trainer_run) return std::nullopt;
  viz::TrainedRun run{*state.trainer_run, viz::RunState::Training, state.recorder.path,
                      state.recorder.bytes_on_disk};
  switch (state.trainer->state) {
    case S::Preparing:
      run.state = viz::RunState::Preparing;
      break;
    case S::Paused:
      run.state = viz::RunState::Paused;
      break;
    case S::Evaluating:
      run.state = viz::RunState::Evaluating;
      break;
    default:
      break;
  }
  return run;
}

void add_run_commands(State& state) {
  const auto add = [&](std::string id, std::string words, std::vector<std::string> keys,
                       std::function<void()> run, std::function<std::string()> why_disabled,
                       std::function<bool()> is_on = {}) {
    viz::UiCommand command{std::move(id),  std::move(words),        "Runs",          {},
                           std::move(run), std::move(why_disabled), std::move(is_on)};
    for (const std::string& key : keys) command.keys.push_back(viz::chord_from_text(key));
    state.commands.add(std::move(command));
  };
  const auto needs_run = [&state] { return why_none(state); };
  const auto needs_two = [&state]() -> std::string {
    if (const std::string reason = why_none(state); !reason.empty()) return reason;
    return viz::listed_runs(state.timeline, state.run_list.settings).size() > 1 ? ""
                                                                                : "only one run is listed";
  };
  add(
      "run.next", "Select the next run", {"Alt+Down"}, [&state] { select_neighbour(state, 1); }, needs_two);
  add(
      "run.previous", "Select the previous run", {"Alt+Up"}, [&state] { select_neighbour(state, -1); },
      needs_two);
  add(
      "run.rename", "Rename the run in the list…", {"F2"},
      [&state] {
        state.show_side_panels = true;
        state.run_list.begin_rename(state.timeline, *state.run());
      },
      needs_run);
  add_naming(state);
  add(
      "run.recover", "Recover what is good of the run's recording into a new file", {},
      [&state] { begin_recovery(state); }, [&state] { return why_no_recovery(state); });
  add(
      "run.hide", "Hide the run from the list, or list it again", {},
      [&state] { state.undo.as_step(state, [&state] { toggle_hidden(state); }); },
      [&state]() -> std::string {
        if (const std::string reason = why_none(state); !reason.empty()) return reason;
        const bool is_hidden = state.run_list.settings.hidden.contains(state.run()->id());
        const std::size_t listed = viz::listed_runs(state.timeline, state.run_list.settings).size();
        return is_hidden || listed > 1 ? "" : "it is the only run in the list";
      },
      [&state] {
        return state.run() != nullptr && state.run_list.settings.hidden.contains(state.run()->id());
      });
  add(
      "run.show_hidden", "List hidden runs too", {},
      [&state] { state.run_list.settings.shows_hidden = !state.run_list.settings.shows_hidden; },
      [&state]() -> std::string { return state.run_list.settings.hidden.empty() ? "no run is hidden" : ""; },
      [&state] { return state.run_list.settings.shows_hidden; });
  add(
      "run.filter", "Filter runs and channels", {"Ctrl+Shift+F"},
      [&state] {
        state.show_side_panels = true;
        state.run_list.focus_filter();
      },
      needs_run);
  add(
      "run.copy_path", "Copy the path of the run's recording", {},
      [&state] {
        ImGui::SetClipboardText(path_of(state).c_str());
        state.notify("Copied " + path_of(state), ui::Tone::Neutral);
      },
      [&state]() -> std::string {
        if (const std::string reason = why_none(state); !reason.empty()) return reason;
        return path_of(state).empty() ? "this run has no recording" : "";
      });
  add(
      "run.reveal_file", "Reveal the run's recording in the file manager", {},
      [&state] {
        try {
          state.host.reveal_file(path_of(state));
        } catch (const Error& error) {
          state.notify(error.what(), ui::Tone::Error);
        }
      },
      [&state]() -> std::string {
        if (const std::string reason = why_none(state); !reason.empty()) return reason;
        return path_of(state).empty() ? "this run has no recording" : "";
      });
  add(
      "run.copy_config", "Copy the run's configuration as JSON", {},
      [&state] { ImGui::SetClipboardText(state.run()->schema()->experiment_json.c_str()); },
      [&state]() -> std::string {
        if (const std::string reason = why_none(state); !reason.empty()) return reason;
        return state.run()->schema() != nullptr ? "" : "its configuration has not come yet";
      });
  add(
      "run.copy_table", "Copy the list of runs as a table", {},
      [&state] {
        const viz::Twin twin =
            viz::run_list_twin(state.timeline, state.selection, state.run_list.settings, trained_run(state));
        ImGui::SetClipboardText(viz::text_of(twin).c_str());
      },
      needs_run);
  add(
      "run.close", "Close the run", {"Ctrl+W"},
      [&state] { state.undo.as_step(state, [&state] { close_run(state, state.run()->id()); }); },
      [&state]() -> std::string {
        if (const std::string reason = why_none(state); !reason.empty()) return reason;
        return state.trains(*state.run()) ? "it is being trained: stop training first" : "";
      });
  add_sample_commands(state);
}

}  // namespace sparsescope::frame
