#include "viz/model/watching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string percent(const std::optional<double>& value) {
  return value ? format_percent(*value / 100, *value < 10 ? 2 : 1) : kAbsent;
}

std::string steps(double count) {
  const auto whole = static_cast<std::int64_t>(std::llround(count));
  return whole == 1 ? "every step" : fmt::format("every {} steps", format_count(whole));
}

std::string measured_in_words(const WatchingFacts& facts) {
  if (!facts.measured) return "not measured yet";
  std::string words = percent(facts.measured);
  if (facts.measured_spread) words += " ± " + percent(facts.measured_spread);
  if (facts.measured_step)
    words += fmt::format(" at step {}", format_count(std::llround(*facts.measured_step)));
  return words;
}

// A measurement is about the cadence at which it was made.
bool is_measured_now(const Run& run, const Track& track, const WatchingFacts& facts) {
  if (!facts.measured) return false;
  if (!facts.measured_step || !facts.cadence) return true;
  const Series* cadence = run.series("watching", {"cadence"});
  const auto sample =
      run.sample_at_or_before(track, static_cast<std::uint64_t>(std::max(0.0, *facts.measured_step)));
  return !sample || cadence == nullptr || cadence->at(*sample) == *facts.cadence;
}

}  // namespace

WatchingFacts watching_facts(const Run& run, std::uint64_t step) {
  WatchingFacts facts;
  const Track* track = run.track("watching");
  const std::optional<std::size_t> sample =
      track != nullptr && track->is_light ? run.sample_at_or_before(*track, step) : std::nullopt;
  if (!sample) return facts;
  facts.step = run.step_of_sample(*track, *sample);
  const auto value = [&](const char* label) -> std::optional<double> {
    const Series* series = run.series("watching", {label});
    if (series == nullptr || *sample >= series->size()) return std::nullopt;
    const double number = series->at(*sample);
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
  };
  facts.budget = value("budget_percent");
  facts.estimated = value("estimated_percent");
  facts.measured = value("measured_percent");
  facts.measured_spread = value("measured_spread_percent");
  facts.measured_step = value("measured_step");
  facts.window_steps = value("window_steps");
  facts.probes = value("probes_percent");
  facts.samples = value("samples_percent");
  facts.copies = value("copies_percent");
  facts.recording = value("recording_percent");
  facts.cadence = value("cadence");
  facts.base_cadence = value("base_cadence");
  facts.text_cadence = value("text_cadence");
  facts.base_text_cadence = value("base_text_cadence");
  facts.detail = value("detail");
  facts.drops = value("drops");
  facts.text_drops = value("text_drops");
  facts.probe_ms = value("probe_ms");
  facts.step_ms = value("step_ms");
  const std::optional<double> is_watching = value("is_watching");
  facts.state = is_watching && *is_watching == 0      ? WatchingState::Paused
                : is_measured_now(run, *track, facts) ? WatchingState::Measured
                : facts.estimated                     ? WatchingState::Estimated
                                                      : WatchingState::Measuring;
  return facts;
}

std::string watching_value(const WatchingFacts& facts) {
  switch (facts.state) {
    case WatchingState::NotRecorded:
      return kAbsent;
    case WatchingState::Paused:
      return "paused";
    case WatchingState::Measuring:
      return "measuring";
    case WatchingState::Estimated:
      return "≈ " + percent(facts.cost());
    case WatchingState::Measured:
      return percent(facts.cost());
  }
  return kAbsent;
}

std::string watching_measures(const WatchingFacts& facts) {
  std::string words;
  if (facts.cadence && facts.base_cadence && *facts.cadence > *facts.base_cadence)
    words = steps(*facts.cadence) + " instead of " + format_count(std::llround(*facts.base_cadence));
  if (facts.detail && *facts.detail < 1) words += (words.empty() ? "" : ", ") + std::string("edges left out");
  if (facts.text_cadence && facts.base_text_cadence && *facts.text_cadence > *facts.base_text_cadence)
    words += fmt::format("{}texts {} instead of {}", words.empty() ? "" : ", ", steps(*facts.text_cadence),
                         format_count(std::llround(*facts.base_text_cadence)));
  return words.empty() ? "nothing is held back" : words;
}

std::vector<WatchingRow> watching_rows(const WatchingFacts& facts, std::optional<double> view_share) {
  std::vector<WatchingRow> rows;
  rows.push_back(
      {"Measured", measured_in_words(facts),
       facts.window_steps
           ? fmt::format(
                 "Windows of {} steps with probes against as many without; ± half the range of the pairs",
                 format_count(std::llround(*facts.window_steps)))
           : "Windows with probes against windows without"});
  rows.push_back({"Probes, estimated", percent(facts.probes),
                  "Time in probes by the time of all steps between two of them"});
  rows.push_back({"Copies", percent(facts.copies), "Part of the probes"});
  rows.push_back({"Text samples", percent(facts.samples), "Text written on schedule, by its own time"});
  rows.push_back({"Probes and samples, estimated", facts.estimated ? percent(facts.estimated) : "not yet",
                  "What the budget is held against between measurements"});
  rows.push_back({"Recording", percent(facts.recording), "Time in which training waited for the recorder"});
  rows.push_back(
      {"View", view_share ? format_percent(*view_share, 1) + " of one processor" : "not measured yet",
       "Time in which the window's own thread was at work, over the last seconds. It never holds a step "
       "up; a training on the same processors may lose as much of one of them"});
  rows.push_back({"Cadence", facts.cadence ? steps(*facts.cadence) : kAbsent,
                  "Over budget the cadence is stretched first, then edges are left out. Now: " +
                      watching_measures(facts)});
  if (facts.text_cadence && *facts.text_cadence > 0) {
    rows.push_back(
        {"Texts", steps(*facts.text_cadence),
         fmt::format("Scheduled texts may take half of the budget, beyond it they come less often; {} "
                     "that were due are left out so far",
                     facts.text_drops ? format_count(std::llround(*facts.text_drops)) : kAbsent)});
  }
  rows.push_back({"Left out", facts.drops ? format_count(std::llround(*facts.drops)) : kAbsent,
                  "Probe samples that were due and not taken, since the start"});
  return rows;
}

Twin watching_twin(const WatchingFacts& facts, std::optional<double> view_share) {
  Twin twin;
  twin.title = "Cost of watching, percent of training time";
  twin.lines.push_back(watching_value(facts));
  if (facts.state == WatchingState::NotRecorded) {
    twin.lines.push_back("Not recorded by this run up to here");
    return twin;
  }
  if (facts.budget)
    twin.lines.push_back("Budget " + (*facts.budget > 0 ? percent(facts.budget) : std::string("none")));
  twin.lines.push_back(watching_measures(facts));
  twin.table.header = {"what", "value", "remark"};
  for (const WatchingRow& row : watching_rows(facts, view_share))
    twin.table.rows.push_back({row.label, row.value, row.detail});
  return twin;
}

}  // namespace sparsescope::viz
