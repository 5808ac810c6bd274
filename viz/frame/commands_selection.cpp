// Commands of what is hovered, locked and found: layers, heads, tokens, and letting go.
#include <fmt/format.h>

#include <algorithm>

#include "viz/frame/command_builder.h"
#include "viz/model/probe_text.h"

namespace sparsescope::frame {
namespace {

// How many layers or heads the run records; 0: none.
std::int64_t size_of_axis(State& state, std::string_view name) {
  const viz::Run* run = state.run();
  const trace::Schema* schema = run != nullptr ? run->schema() : nullptr;
  std::int64_t size = 0;
  if (schema == nullptr) return 0;
  for (const trace::Channel& channel : schema->channels) {
    if (const trace::Axis* axis = channel.axis(name)) size = std::max(size, axis->size);
  }
  return size;
}

// From nothing to the first or the last, then by one.
void move_mark(std::optional<std::int64_t>& mark, std::int64_t size, int by) {
  mark = std::clamp<std::int64_t>(mark ? *mark + by : (by > 0 ? 0 : size - 1), 0, size - 1);
}

bool holds_something(const viz::Selection& selection) {
  return selection.locked != viz::Marks{} || selection.brush.has_value();
}

// One thing at a time, the nearest first: overlays, the start page, the lock, then hidden interface.
void release(State& state) {
  if (state.palette.is_open || state.show_cheat_sheet || state.settings_dialog.is_open || state.show_jobs) {
    state.palette = {};
    state.show_jobs = false;
    state.settings_dialog = {};
    state.show_cheat_sheet = false;
  } else if (state.show_start_page) {
    state.show_start_page = false;
  } else if (holds_something(state.selection)) {
    state.commands.run("selection.let_go");
  } else {
    state.hide_interface = false;
  }
}

// The id everywhere, and its first place in the probe sequence when it stands there.
void lock_id(State& state, std::int64_t id) {
  viz::Marks& locked = state.selection.locked;
  locked.vocabulary_id = id;
  const viz::ProbeText text(*state.run(), state.timeline.cursor().step());
  const auto place = std::find(text.ids().begin(), text.ids().end(), static_cast<std::int32_t>(id));
  if (place != text.ids().end()) locked.token = place - text.ids().begin();
}

void lock_token(State& state, std::int64_t place) {
  viz::Marks& locked = state.selection.locked;
  locked.token = place;
  const viz::ProbeText text(*state.run(), state.timeline.cursor().step());
  if (place < static_cast<std::int64_t>(text.ids().size()))
    locked.vocabulary_id = text.ids()[static_cast<std::size_t>(place)];
}

void show_channel(State& state, const std::string& name) {
  state.show_side_panels = true;
  state.hide_interface = false;
  state.run_list.channels.filter = name;
}

std::vector<std::string> channel_names(State& state) {
  std::vector<std::string> names;
  const viz::Run* run = state.run();
  if (run == nullptr || run->schema() == nullptr) return names;
  for (const trace::Channel& channel : run->schema()->channels) names.push_back(channel.name);
  return names;
}

void add_finding(State& state, CommandBuilder& table) {
  const Reason needs_run = [&state] { return why_no_run(state); };
  const auto whole = [](const char* name) {
    viz::CommandArgument argument{viz::CommandArgument::Kind::WholeNumber, name};
    argument.range = [] { return viz::Range{0, 1e9}; };
    return argument;
  };
  viz::CommandArgument channel{viz::CommandArgument::Kind::Choice, "channel"};
  channel.choices = [&state] { return channel_names(state); };
  table
      .add(
          "selection.find", "Find a token, an id or a channel…", {"Ctrl+F"},
          [&state] { open_palette(state, ":"); }, needs_run)
      .ask(
          "selection.lock_id", "Lock a vocabulary id…", {}, whole("vocabulary id"),
          [&state](const std::string& value) {
            lock_id(state, static_cast<std::int64_t>(*viz::number_from_text(value)));
          },
          needs_run)
      .ask(
          "selection.lock_token", "Lock a position of the probe sequence…", {}, whole("position"),
          [&state](const std::string& value) {
            lock_token(state, static_cast<std::int64_t>(*viz::number_from_text(value)));
          },
          needs_run)
      .ask(
          "selection.show_channel", "Show a channel in the side panel…", {}, std::move(channel),
          [&state](const std::string& name) { show_channel(state, name); }, needs_run);
}

}  // namespace

void add_selection_commands(State& state) {
  CommandBuilder table(state);
  table.in("Selection");
  const auto move = [&state](const char* axis, std::optional<std::int64_t> viz::Marks::*mark, int by) {
    return
        [&state, axis, mark, by] { move_mark(state.selection.locked.*mark, size_of_axis(state, axis), by); };
  };
  const auto needs = [&state](const char* axis) {
    return [&state, axis]() -> std::string {
      return size_of_axis(state, axis) > 0 ? "" : fmt::format("this run records no {}s", axis);
    };
  };
  table
      .add("selection.previous_layer", "Previous layer", {"["}, move("layer", &viz::Marks::layer, -1),
           needs("layer"))
      .add("selection.next_layer", "Next layer", {"]"}, move("layer", &viz::Marks::layer, 1), needs("layer"))
      .add("selection.previous_head", "Previous head", {","}, move("head", &viz::Marks::head, -1),
           needs("head"))
      .add("selection.next_head", "Next head", {"."}, move("head", &viz::Marks::head, 1), needs("head"))
      .add(
          "selection.let_go", "Release what is locked and brushed", {},
          [&state] { state.selection.release(); },
          [&state]() -> std::string {
            return holds_something(state.selection) ? "" : "nothing is locked or brushed";
          })
      .add("selection.release", "Close what is open, release the selection, then leave", {"Escape"},
           [&state] { release(state); });
  add_finding(state, table);
}

}  // namespace sparsescope::frame
