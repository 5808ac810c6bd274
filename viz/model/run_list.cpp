#include "viz/model/run_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "viz/model/annotations.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

std::string count(std::uint64_t number) { return format_count(static_cast<std::int64_t>(number)); }

void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& values) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, path.empty() ? key : path + "." + key, values);
    return;
  }
  values[path] = json.is_string()         ? json.get<std::string>()
                 : json.is_number_float() ? format_number(json.get<double>(), 6)
                                          : json.dump();
}

// Names and descriptions are no configuration.
std::map<std::string, std::string> configuration(const std::string& text) {
  std::map<std::string, std::string> values;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) flatten(json, "", values);
  for (const char* key : {"name", "title", "text"}) values.erase(key);
  return values;
}

RunState state_of(const Timeline& timeline, const Run& run, const std::optional<TrainedRun>& trained) {
  if (trained && trained->run == run.id() && run.end() == nullptr) return trained->state;
  if (run.end() == nullptr) {
    const Feed* feed = timeline.feed(run.id());
    const LoadProgress progress = feed != nullptr && feed->progress ? feed->progress() : LoadProgress{};
    const bool has_all = progress.rows_total > 0 && progress.rows_read >= progress.rows_total;
    return has_all ? RunState::Following : RunState::Loading;
  }
  switch (run.end()->status) {
    case trace::RunStatus::Finished:
      return RunState::Finished;
    case trace::RunStatus::Stopped:
      return RunState::Stopped;
    case trace::RunStatus::Failed:
      return RunState::Failed;
    case trace::RunStatus::Unclosed:
      return RunState::NotClosed;
  }
  return RunState::Failed;
}

// "stopped", or "recovered, 12 frames lost" of a copy of what was not whole.
std::string recovered_in_words(const trace::Recovery& recovered) {
  const std::uint64_t lost = recovered.of - std::min(recovered.of, recovered.frames);
  if (lost == 0) return "recovered, nothing lost";
  return fmt::format("recovered, {} {} lost", format_count(static_cast<std::int64_t>(lost)),
                     lost == 1 ? "frame" : "frames");
}

std::string state_in_words(const RunEntry& entry) {
  switch (entry.state) {
    case RunState::Loading:
      return entry.loading >= 0 ? "loading " + format_percent(entry.loading) : "loading";
    case RunState::Preparing:
      return "preparing";
    case RunState::Training:
      return "training";
    case RunState::Paused:
      return "paused";
    case RunState::Evaluating:
      return "evaluating";
    case RunState::Following:
      return "following";
    case RunState::Finished:
      return "finished";
    case RunState::Stopped:
      return "stopped";
    case RunState::Failed:
      return "failed";
    case RunState::NotClosed:
      return "not closed";
  }
  return {};
}

void add_best(const Run& run, RunEntry& entry) {
  const Track* track = run.track("evaluation");
  const Series* loss = run.series("evaluation", {"val_nll"});
  if (track == nullptr || loss == nullptr) return;
  const Bucket all = loss->fold(0, loss->size());
  if (!all.has_value()) return;
  entry.best_loss = all.minimum;
  for (std::size_t i = loss->exact_from(); i < loss->size(); ++i) {
    if (loss->at(i) != all.minimum) continue;
    entry.best_step = run.step_of_sample(*track, i);
    break;
  }
}

std::string preset_of(const Run& run) {
  const Json json = Json::parse(run.schema()->experiment_json, nullptr, false);
  const auto name = json.is_object() ? json.find("name") : json.end();
  return json.is_object() && name != json.end() && name->is_string() ? name->get<std::string>() : "";
}

std::vector<std::string> tags_of(const Run& run, const RunListSettings& settings) {
  const auto tagged = settings.tags.find(run.id());
  return tagged != settings.tags.end() ? tagged->second : std::vector<std::string>();
}

}  // namespace

bool matches_filter(std::string_view text, std::string_view filter) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), filter.begin(), filter.end(), same) != text.end();
}

std::string run_name(const Timeline& timeline, const Run& run) {
  if (run.is_named() || run.schema() != nullptr) return run.name();
  const Feed* feed = timeline.feed(run.id());
  return feed != nullptr && !feed->name.empty() ? feed->name : run.title();
}

std::vector<std::uint32_t> listed_runs(const Timeline& timeline, const RunListSettings& settings) {
  std::vector<std::uint32_t> listed;
  const auto has_tag = [&](const Run& run) {
    return std::ranges::any_of(tags_of(run, settings), [&](const std::string& tag) {
      return matches_filter("#" + tag, settings.filter);
    });
  };
  for (const std::unique_ptr<Run>& run : timeline.runs()) {
    if (!settings.shows_hidden && settings.hidden.contains(run->id())) continue;
    if (!settings.filter.empty() && !matches_filter(run_name(timeline, *run), settings.filter) &&
        !matches_filter(run->uuid(), settings.filter) && !has_tag(*run))
      continue;
    listed.push_back(run->id());
  }
  return listed;
}

RunEntry run_entry(const Timeline& timeline, const Run& run, const Selection& selection,
                   const RunListSettings& settings, const std::optional<TrainedRun>& trained) {
  RunEntry entry;
  entry.run = run.id();
  entry.title = run.title();
  entry.name = run_name(timeline, run);
  entry.tags = tags_of(run, settings);
  const Feed* feed = timeline.feed(run.id());
  if (feed != nullptr) {
    entry.path = feed->path;
    entry.bytes = feed->bytes;
    const LoadProgress progress = feed->progress ? feed->progress() : LoadProgress{};
    if (progress.rows_read < progress.rows_total)
      entry.loading = static_cast<double>(progress.rows_read) / static_cast<double>(progress.rows_total);
  }
  if (trained && trained->run == run.id()) {
    entry.path = trained->path;
    entry.bytes = trained->bytes;
  }
  entry.state = state_of(timeline, run, trained);
  entry.words = state_in_words(entry);
  if (run.schema() != nullptr && run.schema()->recovered && run.end() != nullptr)
    entry.words = recovered_in_words(*run.schema()->recovered);
  if (run.end() != nullptr && run.end()->status != trace::RunStatus::Finished)
    entry.problem = run.end()->message;
  if (entry.problem.empty()) entry.problem = run.problem();
  entry.steps = run.newest_step();
  entry.planned = run.planned_steps();
  if (run.rows() > 0)
    entry.seconds = run.x(run.rows() - 1, TimeAxis::WallTime) - run.x(0, TimeAxis::WallTime);
  const Comparison& comparison = selection.comparison;
  const Run* selected = timeline.current(selection.run);
  entry.is_selected = selected == &run;
  entry.is_baseline = comparison.baseline == run.id();
  entry.is_compared = std::ranges::find(comparison.beside, run.id()) != comparison.beside.end();
  entry.is_hidden = settings.hidden.contains(run.id());
  if (run.schema() == nullptr) return entry;
  entry.preset = preset_of(run);
  add_best(run, entry);
  const Run* baseline = comparison.baseline ? timeline.find(*comparison.baseline) : nullptr;
  if (baseline != nullptr && baseline != &run && baseline->schema() != nullptr)
    entry.changes = config_changes(baseline->schema()->experiment_json, run.schema()->experiment_json);
  return entry;
}

std::string numbers_in_words(const RunEntry& entry) {
  std::string words = entry.words;
  // How far it is, where the end does not say it.
  const bool is_whole = entry.planned == 0 || entry.steps >= entry.planned;
  if (entry.state != RunState::Loading && (!is_whole || entry.state == RunState::NotClosed))
    words += " at " + count(entry.steps) + (is_whole ? "" : " of " + count(entry.planned));
  const auto add = [&](const std::string& part) { words += " · " + part; };
  for (const std::string& tag : entry.tags) add("#" + tag);
  if (entry.best_loss) add(format_fixed(*entry.best_loss, 3) + " nats");
  if (entry.seconds > 0) add(format_duration(entry.seconds));
  if (entry.bytes > 0) add(format_bytes(static_cast<double>(entry.bytes)));
  return words;
}

std::string changes_in_words(const std::vector<ConfigChange>& changes, std::size_t most) {
  std::string words;
  for (std::size_t i = 0; i < std::min(most, changes.size()); ++i) {
    const ConfigChange& change = changes[i];
    words += fmt::format("{}{} {} → {}", i > 0 ? ", " : "", change.key, change.from, change.to);
  }
  if (changes.size() > most) words += fmt::format(", {} more", changes.size() - most);
  return words;
}

std::vector<ConfigChange> config_changes(const std::string& baseline_json, const std::string& json) {
  const auto before = configuration(baseline_json), now = configuration(json);
  std::vector<ConfigChange> changes;
  for (const auto& [key, value] : before) {
    const auto found = now.find(key);
    if (found == now.end()) {
      changes.push_back({key, value, kAbsent});
    } else if (found->second != value) {
      changes.push_back({key, value, found->second});
    }
  }
  for (const auto& [key, value] : now) {
    if (!before.contains(key)) changes.push_back({key, kAbsent, value});
  }
  std::ranges::sort(changes, {}, &ConfigChange::key);
  return changes;
}

Twin run_list_twin(const Timeline& timeline, const Selection& selection, const RunListSettings& settings,
                   const std::optional<TrainedRun>& trained) {
  Twin twin;
  twin.title = "Runs";
  twin.table.header = {"run",
                       "state",
                       "tags",
                       "steps",
                       "best held-out loss, nats per token",
                       "at step",
                       "duration, s",
                       "size, bytes",
                       "baseline or beside",
                       "against the baseline",
                       "file"};
  const std::vector<std::uint32_t> listed = listed_runs(timeline, settings);
  for (std::uint32_t id : listed) {
    const RunEntry entry = run_entry(timeline, *timeline.find(id), selection, settings, trained);
    twin.table.rows.push_back({entry.name, entry.words, text_from_tags(entry.tags),
                               std::to_string(entry.steps),
                               entry.best_loss ? fmt::format("{:.9g}", *entry.best_loss) : kAbsent,
                               entry.best_loss ? std::to_string(entry.best_step) : kAbsent,
                               fmt::format("{:.3f}", entry.seconds), std::to_string(entry.bytes),
                               entry.is_baseline   ? "baseline"
                               : entry.is_compared ? "beside"
                                                   : "",
                               changes_in_words(entry.changes, entry.changes.size()), entry.path});
    if (!entry.problem.empty()) twin.lines.push_back(entry.name + ": " + entry.problem);
  }
  if (const std::size_t left_out = timeline.runs().size() - listed.size(); left_out > 0)
    twin.lines.push_back(
        fmt::format("{} of {} runs are not listed", count(left_out), count(timeline.runs().size())));
  return twin;
}

}  // namespace sparsescope::viz
