// What the palette offers: commands by fuzzy search, runs, tokens and channels, steps, settings, and the
// values a command asks for.
#include <fmt/format.h>

#include <algorithm>

#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/model/fuzzy.h"
#include "viz/model/probe_text.h"

namespace sparsescope::frame {
namespace {

constexpr std::size_t kNearest = 3, kMostTokens = 40;

PaletteItem item_of(const State& state, const viz::UiCommand& command) {
  const std::string key = command.keys.empty() ? "" : viz::text_from_chord(command.keys[0]);
  return {command.words, command.category, key, state.commands.why_disabled(command.id), command.id, {},
          false};
}

// A command with its value, under other words.
PaletteItem item_of(const State& state, const char* command, std::string value, std::string words,
                    std::string category) {
  return {std::move(words), std::move(category), "",  state.commands.why_disabled(command),
          command,          std::move(value),    true};
}

bool is_setting(const std::string& id) { return id.starts_with("setting."); }

void add_commands_like(const State& state, const std::string& query, PaletteList& list) {
  // Before anything is typed, what was chosen lately stands first.
  std::vector<std::string> first;
  if (query.empty()) first.assign(state.recent_commands.begin(), state.recent_commands.end());
  for (const std::string& id : first) {
    if (const viz::UiCommand* command = state.commands.find(id))
      list.items.push_back(item_of(state, *command));
  }
  for (const viz::UiCommand* command : state.commands.search(query)) {
    if (std::find(first.begin(), first.end(), command->id) == first.end())
      list.items.push_back(item_of(state, *command));
  }
}

void add_runs(State& state, const std::string& query, PaletteList& list) {
  for (const auto& run : state.timeline.runs()) {
    const std::string title = run_title(state, *run);
    if (viz::fuzzy_score(query, title) > 0)
      list.items.push_back(item_of(state, "run.select", title, title, "run"));
  }
}

std::string places_words(const std::vector<std::int32_t>& ids, std::int64_t id) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == id) places.push_back(i);
  }
  if (places.empty()) return "not in the probe";
  if (places.size() == 1) return fmt::format("position {}", places[0]);
  return fmt::format("position {} and {} more", places[0], places.size() - 1);
}

void add_tokens(State& state, const std::string& query, PaletteList& list) {
  viz::Run* run = state.run();
  if (run == nullptr || run->schema() == nullptr) return;
  const viz::ProbeText text(*run, state.timeline.cursor().step());
  if (!query.empty()) {
    std::vector<std::int64_t> ids = text.find(query, kMostTokens);
    const std::optional<double> number = viz::number_from_text(query);
    if (number && *number >= 0 && *number < static_cast<double>(text.vocabulary()))
      ids.insert(ids.begin(), static_cast<std::int64_t>(*number));
    for (std::int64_t id : ids) {
      list.items.push_back(item_of(state, "selection.lock_id", std::to_string(id),
                                   fmt::format("{}   id {}", text.word(id), id),
                                   places_words(text.ids(), id)));
    }
    if (number && *number >= 0 && *number < static_cast<double>(text.ids().size())) {
      const auto place = static_cast<std::size_t>(*number);
      list.items.push_back(item_of(state, "selection.lock_token", std::to_string(place),
                                   fmt::format("{}   position {}", text.word(text.ids()[place]), place),
                                   "token"));
    }
  }
  for (const trace::Channel& channel : run->schema()->channels) {
    if (viz::fuzzy_score(query, channel.name) > 0)
      list.items.push_back(item_of(state, "selection.show_channel", channel.name, channel.name, "channel"));
  }
  if (text.state() == viz::RowCache::State::Loading) list.remark = "Tokens are being read";
}

void add_step(State& state, const std::string& query, PaletteList& list) {
  const viz::UiCommand& go = *state.commands.find("timeline.go_to");
  if (query.empty()) return list.items.push_back(item_of(state, go));
  PaletteItem item = item_of(state, "timeline.go_to", query, "Go to step " + query, "step");
  if (item.reason.empty()) item.reason = viz::problem_with(*go.argument, query);
  list.items.push_back(std::move(item));
}

void add_settings(const State& state, const std::string& query, PaletteList& list) {
  for (const viz::UiCommand* command : state.commands.search(query)) {
    if (!is_setting(command->id)) continue;
    PaletteItem item = item_of(state, *command);
    if (command->argument && command->argument->current) item.words += ": " + command->argument->current();
    list.items.push_back(std::move(item));
  }
}

// The values that a command may take, or the one that is typed.
PaletteList values(const State& state, const viz::UiCommand& command) {
  PaletteList list;
  const viz::CommandArgument& argument = *command.argument;
  const std::string& query = state.palette.query;
  const auto item = [&](const std::string& value, const std::string& words) {
    list.items.push_back(item_of(state, command.id.c_str(), value, words, argument.unit));
  };
  if (argument.kind == viz::CommandArgument::Kind::Choice) {
    const std::vector<std::string> choices = argument.choices();
    for (const std::string& choice : choices) {
      if (viz::fuzzy_score(query, choice) > 0) item(choice, choice);
    }
    if (list.items.empty()) {
      list.remark = "Nothing is called that. There are:";
      for (const std::string& choice : choices) item(choice, choice);
    }
  } else {
    item(query, query.empty() ? "Type a value" : query);
    list.items.back().reason = viz::problem_with(argument, query);
  }
  return list;
}

}  // namespace

PaletteList palette_list(State& state) {
  const PaletteState& palette = state.palette;
  if (const viz::UiCommand* asked = state.commands.find(palette.asks_for)) return values(state, *asked);
  PaletteList list;
  const std::string rest = palette.query.empty() ? "" : palette.query.substr(1);
  switch (palette.query.empty() ? ' ' : palette.query[0]) {
    case '@':
      add_runs(state, rest, list);
      break;
    case ':':
      add_tokens(state, rest, list);
      break;
    case '#':
      add_step(state, rest, list);
      break;
    case ',':
      add_settings(state, rest, list);
      break;
    default:
      add_commands_like(state, palette.query, list);
  }
  if (!list.items.empty()) return list;
  list.remark = "Nothing is called that. Nearest:";
  for (const viz::UiCommand* command : state.commands.nearest(palette.query, kNearest))
    list.items.push_back(item_of(state, *command));
  return list;
}

void choose(State& state, const PaletteItem& item) {
  if (!item.reason.empty()) {
    state.palette.problem = item.reason;
    state.palette.wants_focus = true;  // Enter left the field
    return;
  }
  std::vector<std::string>& recent = state.recent_commands;
  std::erase(recent, item.command);
  recent.insert(recent.begin(), item.command);
  if (recent.size() > kMostRecentCommands) recent.resize(kMostRecentCommands);
  state.palette = {};
  const std::string reason =
      item.has_value ? state.commands.run(item.command, item.value) : state.commands.run(item.command);
  if (!reason.empty()) state.notify(item.words + ": " + reason, ui::Tone::Neutral);
}

}  // namespace sparsescope::frame
