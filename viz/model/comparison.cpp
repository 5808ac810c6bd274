#include "viz/model/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "viz/model/probe_text.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostChangesShown = 4;  // of the configuration, in one line

// What a trainer wrote about the text it read: the object `data` of its first note that has one.
Json data_note(const Run& run) {
  for (const Event& event : run.events()) {
    if (event.json.find("\"data\"") == std::string::npos) continue;
    const Json json = Json::parse(event.json, nullptr, false);
    const auto data = json.is_object() ? json.find("data") : json.end();
    if (json.is_object() && data != json.end() && data->is_object()) return *data;
  }
  return {};
}

std::string digest(const Json& note, const char* what) {
  const Json::json_pointer place(std::string("/") + what + "/sha256");
  return note.is_object() && note.contains(place) && note.at(place).is_string()
             ? note.at(place).get<std::string>()
             : std::string();
}

Json data_keys(const Run& run) {
  const Json json =
      run.schema() != nullptr ? Json::parse(run.schema()->experiment_json, nullptr, false) : Json();
  const auto data = json.is_object() ? json.find("data") : json.end();
  return json.is_object() && data != json.end() ? *data : Json();
}

Sameness same_if(bool is_same) { return is_same ? Sameness::Same : Sameness::Different; }

// By the digests that both wrote down, else by the settings that both state.
Sameness compare_data(const Run& a, const Run& b) {
  const std::string in_a = digest(data_note(a), "corpus"), in_b = digest(data_note(b), "corpus");
  if (!in_a.empty() && !in_b.empty()) return same_if(in_a == in_b);
  const Json keys_a = data_keys(a), keys_b = data_keys(b);
  return keys_a.is_object() && keys_b.is_object() ? same_if(keys_a == keys_b) : Sameness::Unknown;
}

// Whether two rows that are written once are the same bytes.
Sameness compare_rows(Run& a, Run& b, const char* channel, bool& is_reading) {
  if (a.track(channel) == nullptr || b.track(channel) == nullptr) return Sameness::Unknown;
  const Run::Heavy in_a = a.heavy(channel, a.newest_step()), in_b = b.heavy(channel, b.newest_step());
  is_reading |= in_a.state == RowCache::State::Loading || in_b.state == RowCache::State::Loading;
  if (!in_a.data || !in_b.data) return Sameness::Unknown;
  return same_if(in_a.data->bytes == in_b.data->bytes);
}

Sameness compare_tokenizers(Run& a, Run& b, bool& is_reading) {
  const std::string in_a = digest(data_note(a), "tokenizer"), in_b = digest(data_note(b), "tokenizer");
  if (!in_a.empty() && !in_b.empty()) return same_if(in_a == in_b);
  const Sameness pieces = compare_rows(a, b, "vocabulary", is_reading);
  const Sameness ends = compare_rows(a, b, "vocabulary_ends", is_reading);
  if (pieces == Sameness::Different || ends == Sameness::Different) return Sameness::Different;
  return pieces == Sameness::Same ? ends : Sameness::Unknown;
}

Sameness compare_probes(Run& a, Run& b, std::uint64_t step, bool& is_reading) {
  const Sameness recorded = compare_rows(a, b, "probe_ids", is_reading);
  if (recorded != Sameness::Same) return recorded;
  return same_if(ProbeText(a, step).ids() == ProbeText(b, step).ids());
}

// "Tokenizer and training text differ, the probe batch is not recorded: nothing is subtracted"; empty when
// all is the same.
std::string obstacle_in_words(const ComparisonCheck& check) {
  std::vector<std::string> different, unknown;
  const auto sort_in = [&](Sameness sameness, const char* what) {
    if (sameness == Sameness::Different) different.emplace_back(what);
    if (sameness == Sameness::Unknown) unknown.emplace_back(what);
  };
  sort_in(check.tokenizer, "tokenizer");
  sort_in(check.data, "training text");
  sort_in(check.probe_batch, "probe batch");
  if (different.empty() && unknown.empty()) return {};
  const auto list = [](const std::vector<std::string>& parts) {
    std::string words;
    for (std::size_t i = 0; i < parts.size(); ++i)
      words += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return words;
  };
  std::string words = list(different);
  if (!different.empty()) words += different.size() == 1 ? " differs" : " differ";
  if (!unknown.empty()) words += (words.empty() ? "" : ", ") + list(unknown) + " not recorded by both";
  words[0] = static_cast<char>(words[0] - 'a' + 'A');
  if (check.allows_losses()) return words + ": maps over its tokens are not subtracted";
  if (check.allows_maps()) return words + ": losses and needle signals are not subtracted";
  return words + ": nothing is subtracted";
}

bool is_named_alike(const Timeline& timeline, const Run& run) {
  return std::ranges::any_of(timeline.runs(), [&](const std::unique_ptr<Run>& other) {
    return other->id() != run.id() && other->name() == run.name();
  });
}

std::string name_of(const Timeline& timeline, const Run& run) {
  const Feed* feed = timeline.feed(run.id());
  if (run.schema() == nullptr) return feed != nullptr && !feed->name.empty() ? feed->name : run.name();
  if (!is_named_alike(timeline, run)) return run.name();
  // What tells them apart comes first: names are shortened at their end.
  if (feed != nullptr && !feed->name.empty()) return feed->name + ", " + run.name();
  return run.uuid().substr(0, 8) + ", " + run.name();
}

}  // namespace

ComparisonCheck comparable(Run& a, Run& b, std::uint64_t step) {
  ComparisonCheck check;
  if (a.schema() == nullptr || b.schema() == nullptr) {
    check.is_reading = true;
    return check;
  }
  check.tokenizer = compare_tokenizers(a, b, check.is_reading);
  check.data = compare_data(a, b);
  check.probe_batch = compare_probes(a, b, step, check.is_reading);
  if (check.is_reading) return check;
  if (std::string words = obstacle_in_words(check); !words.empty())
    check.sentences.push_back(std::move(words));
  return check;
}

Run* baseline_run(const QueryFrame& frame) {
  if (!frame.comparison.baseline || *frame.comparison.baseline == frame.run.id()) return nullptr;
  return frame.timeline.find(*frame.comparison.baseline);
}

Comparison all_beside(const Timeline& timeline) {
  Comparison comparison;
  for (const std::unique_ptr<Run>& run : timeline.runs()) {
    if (comparison.beside.size() < kMostRunsCompared) comparison.beside.push_back(run->id());
  }
  return comparison;
}

std::vector<ComparedRun> compared_runs(const QueryFrame& frame) {
  std::vector<ComparedRun> runs;
  const auto add = [&](Run* run) {
    const bool is_there =
        run == nullptr || std::ranges::any_of(runs, [&](const ComparedRun& one) { return one.run == run; });
    if (is_there || runs.size() == kMostRunsCompared) return;
    runs.push_back({run, std::string(1, static_cast<char>('A' + runs.size())), name_of(frame.timeline, *run),
                    run == &frame.run, frame.comparison.baseline == run->id()});
  };
  add(baseline_run(frame));
  add(&frame.run);
  for (std::uint32_t id : frame.comparison.beside) add(frame.timeline.find(id));
  if (runs.size() < 2) runs.clear();
  return runs;
}

std::uint64_t locked_step(const QueryFrame& frame, const Run& other) {
  if (&other == &frame.run || other.rows() == 0) return frame.cursor_step();
  const TimeAxis axis = frame.timeline.window().axis();
  return other.step_at(frame.run.x_of_step(frame.cursor_step(), axis), axis);
}

QueryFrame frame_of(const QueryFrame& frame, Run& other) {
  const bool is_following = frame.timeline.cursor().is_following();
  return {frame.timeline,
          other,
          frame.columns,
          frame.brush,
          frame.locked,
          {},
          is_following ? other.newest_step() : locked_step(frame, other)};
}

ComparisonBanner comparison_banner(const QueryFrame& frame) {
  ComparisonBanner banner;
  banner.runs = compared_runs(frame);
  if (banner.is_empty()) return banner;
  const ComparedRun& a = banner.runs.front();
  const ComparedRun& b =
      a.is_selected ? banner.runs[1] : *std::ranges::find_if(banner.runs, &ComparedRun::is_selected);
  for (const ComparedRun& other : banner.runs) {
    if (other.run == a.run) continue;
    const ComparisonCheck check = comparable(*a.run, *other.run, frame.cursor_step());
    banner.is_reading |= check.is_reading;
    for (const std::string& sentence : check.sentences)
      banner.sentences.push_back(fmt::format("{} and {}: {}", a.letter, other.letter, sentence));
  }
  if (a.run->schema() == nullptr || b.run->schema() == nullptr) return banner;
  banner.changes = config_changes(a.run->schema()->experiment_json, b.run->schema()->experiment_json);
  banner.config = fmt::format(
      "{} → {}: {}", a.letter, b.letter,
      banner.changes.empty() ? "same configuration" : changes_in_words(banner.changes, kMostChangesShown));
  return banner;
}

std::vector<std::string> lines_of(const ComparisonBanner& banner) {
  std::vector<std::string> lines;
  for (const ComparedRun& run : banner.runs) {
    lines.push_back(fmt::format("{}: {}{}{}", run.letter, run.name, run.is_baseline ? ", baseline" : "",
                                run.is_selected ? ", selected" : ""));
  }
  if (!banner.config.empty()) lines.push_back(banner.config);
  lines.insert(lines.end(), banner.sentences.begin(), banner.sentences.end());
  return lines;
}

MapDifference map_difference(CellsPtr a, CellsPtr b) {
  MapDifference difference{a, b, Cells::difference(*b, *a)};
  double largest = 0;
  if (const std::optional<Range> extent = difference.delta->extent())
    largest = std::max(std::abs(extent->minimum), std::abs(extent->maximum));
  if (largest > 0) difference.limits = {-largest, largest};
  return difference;
}

std::string format_signed(double value, int significant) {
  if (!std::isfinite(value) || value == 0) return format_number(value, significant);
  return (value < 0 ? "−" : "+") + format_number(std::abs(value), significant);
}

std::string difference_in_words(double a, double b, const std::string& unit) {
  const std::string behind = unit.empty() || unit == "1" ? "" : " " + unit;
  return fmt::format("A {}, B {}, Δ {}{}", format_number(a), format_number(b), format_signed(b - a), behind);
}

}  // namespace sparsescope::viz
