#include "app/cli/study_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/opened_recording.h"
#include "engine/trace/error.h"
#include "viz/model/format.h"

namespace sparsescope::app {
namespace {

using experiments::Manifest, experiments::ManifestArm, experiments::ManifestRun, experiments::RunState;
using Json = nlohmann::ordered_json;

// Characters on screen: bytes that do not continue one of UTF-8.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Columns aligned by spaces: the first to the left, numbers to the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows, std::size_t left_columns) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += "  " + (i < left_columns ? row[i] + space : space + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

// Every quantity that any run has, in the order of the first that has it.
std::vector<viz::OutcomeNumber> quantities_of(const std::vector<StudyOutcome>& outcomes) {
  std::vector<viz::OutcomeNumber> all;
  for (const StudyOutcome& outcome : outcomes) {
    for (const viz::OutcomeNumber& number : outcome.numbers) {
      if (std::ranges::find(all, number.name, &viz::OutcomeNumber::name) == all.end()) all.push_back(number);
    }
  }
  return all;
}

double value_of(const StudyOutcome& outcome, const std::string& quantity) {
  const auto found = std::ranges::find(outcome.numbers, quantity, &viz::OutcomeNumber::name);
  return found == outcome.numbers.end() ? std::nan("") : found->value;
}

viz::Spread spread_over(const std::vector<StudyOutcome>& outcomes, const std::string& arm,
                        const std::string& quantity) {
  std::vector<double> values;
  for (const StudyOutcome& outcome : outcomes) {
    if (outcome.run.arm == arm) values.push_back(value_of(outcome, quantity));
  }
  return viz::spread_of(values);
}

std::string header_of(const viz::OutcomeNumber& quantity) {
  return quantity.unit == "1" ? quantity.name : fmt::format("{} [{}]", quantity.name, quantity.unit);
}

std::string runs_table(const std::vector<StudyOutcome>& outcomes,
                       const std::vector<viz::OutcomeNumber>& quantities) {
  std::vector<std::vector<std::string>> rows = {{"arm", "seed", "state", "steps", "time"}};
  for (const viz::OutcomeNumber& quantity : quantities) rows.front().push_back(header_of(quantity));
  for (const StudyOutcome& outcome : outcomes) {
    const ManifestRun& run = outcome.run;
    rows.push_back({run.arm, std::to_string(run.seed), state_name(run.state), std::to_string(run.steps),
                    run.seconds > 0 ? viz::format_duration(run.seconds) : viz::kAbsent});
    for (const viz::OutcomeNumber& quantity : quantities)
      rows.back().push_back(viz::format_number(value_of(outcome, quantity.name)));
  }
  return aligned(rows, 3);
}

std::string arms_table(const Manifest& manifest, const std::vector<StudyOutcome>& outcomes,
                       const std::vector<viz::OutcomeNumber>& quantities) {
  std::vector<std::vector<std::string>> rows = {{"mean ± standard deviation over seeds"}};
  std::vector<std::string> seeds = {"finished seeds"};
  for (const ManifestArm& arm : manifest.arms) {
    rows.front().push_back(arm.name);
    seeds.push_back(std::to_string(std::ranges::count_if(outcomes, [&](const StudyOutcome& outcome) {
      return outcome.run.arm == arm.name && !outcome.numbers.empty();
    })));
  }
  rows.push_back(std::move(seeds));
  for (const viz::OutcomeNumber& quantity : quantities) {
    std::vector<std::string>& row = rows.emplace_back(std::vector<std::string>{header_of(quantity)});
    for (const ManifestArm& arm : manifest.arms)
      row.push_back(viz::spread_in_words(spread_over(outcomes, arm.name, quantity.name)));
  }
  return aligned(rows, 1);
}

// "headers: SHA-256 0123456789ab, licence ..."; each text of the arms once.
std::vector<std::string> texts_of(const Manifest& manifest) {
  std::vector<std::string> texts;
  for (const ManifestArm& arm : manifest.arms) {
    const Json json = Json::parse(arm.text_json, nullptr, false);
    if (!json.is_object()) continue;
    const Json corpus = json.value("corpus", Json::object()),
               tokenizer = json.value("tokenizer", Json::object());
    std::string words =
        fmt::format("{}, SHA-256 {}, {} tokenizer of {} ids", corpus.value("source", "unknown"),
                    corpus.value("sha256", "unknown").substr(0, 12), tokenizer.value("kind", "unknown"),
                    tokenizer.value("vocabulary", 0));
    if (const std::string licence = corpus.value("licence", ""); !licence.empty()) words += ", " + licence;
    if (std::ranges::find(texts, words) == texts.end()) texts.push_back(std::move(words));
  }
  return texts;
}

// "NVIDIA H100, sparsescope 1.0.0 (abcdef)"; each once.
std::vector<std::string> machines_of(const Manifest& manifest) {
  std::vector<std::string> machines;
  for (const ManifestRun& run : manifest.runs) {
    if (run.device.empty()) continue;
    std::string words = fmt::format("{}, program {} ({})", run.device, run.version, run.commit);
    if (std::ranges::find(machines, words) == machines.end()) machines.push_back(std::move(words));
  }
  return machines;
}

std::string states_in_words(const Manifest& manifest) {
  std::vector<std::string> words;
  for (const RunState state :
       {RunState::Finished, RunState::Running, RunState::Stopped, RunState::Failed, RunState::Waiting}) {
    if (const std::size_t count = manifest.count(state); count > 0)
      words.push_back(fmt::format("{} {}", count, state_name(state)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::vector<StudyOutcome> study_outcomes(const std::string& folder, const Manifest& manifest) {
  std::vector<StudyOutcome> outcomes;
  for (const ManifestRun& run : manifest.runs) {
    StudyOutcome& outcome = outcomes.emplace_back(StudyOutcome{run, {}, ""});
    if (run.state != RunState::Finished) {
      outcome.problem = run.message;
      continue;
    }
    try {
      viz::Timeline timeline;
      viz::Run& loaded = load_recording(timeline, (std::filesystem::path(folder) / run.recording()).string());
      outcome.numbers = viz::run_outcome({timeline, loaded});
    } catch (const Error& error) {
      outcome.problem = error.what();
    }
  }
  return outcomes;
}

std::string study_words(const std::string& folder) {
  const Manifest manifest = experiments::load_manifest(folder);
  const std::vector<StudyOutcome> outcomes = study_outcomes(folder, manifest);
  std::string text = fmt::format("{}\n  runs      {} arms x {} seeds: {}\n",
                                 manifest.title.empty() ? manifest.name : manifest.title,
                                 manifest.arms.size(), manifest.seeds.size(), states_in_words(manifest));
  for (const std::string& words : texts_of(manifest)) text += "  text      " + words + "\n";
  for (const std::string& words : machines_of(manifest)) text += "  trained   " + words + "\n";
  text += fmt::format("  begun     {}\n", manifest.created_utc);
  for (const experiments::ManifestCommand& command : manifest.commands)
    text += fmt::format("  command   {} ({})\n", command.words, command.utc);
  const std::vector<viz::OutcomeNumber> quantities = quantities_of(outcomes);
  text += "\n" + runs_table(outcomes, quantities);
  if (!quantities.empty()) text += "\n" + arms_table(manifest, outcomes, quantities);
  if (std::ranges::find(quantities, "theta", &viz::OutcomeNumber::name) != quantities.end())
    text += "\n  densities and theta: mean over layers from 1 on; needle: mean over depths\n";
  for (const StudyOutcome& outcome : outcomes) {
    if (!outcome.problem.empty()) text += fmt::format("\n  {}: {}", outcome.run.name(), outcome.problem);
  }
  return text.ends_with('\n') ? text : text + "\n";
}

std::string study_json(const std::string& folder) {
  const Manifest manifest = experiments::load_manifest(folder);
  const std::vector<StudyOutcome> outcomes = study_outcomes(folder, manifest);
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json json = Json::parse(experiments::to_json(manifest));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].problem.empty()) json["runs"][i]["problem"] = outcomes[i].problem;
    for (const viz::OutcomeNumber& quantity : outcomes[i].numbers)
      json["runs"][i]["outcome"][quantity.name] = {{"value", number(quantity.value)},
                                                   {"unit", quantity.unit}};
  }
  for (std::size_t i = 0; i < manifest.arms.size(); ++i) {
    for (const viz::OutcomeNumber& quantity : quantities_of(outcomes)) {
      const viz::Spread spread = spread_over(outcomes, manifest.arms[i].name, quantity.name);
      json["arms"][i]["outcome"][quantity.name] = {{"unit", quantity.unit},
                                                   {"seeds", spread.count},
                                                   {"mean", number(spread.mean)},
                                                   {"deviation", number(spread.deviation)}};
    }
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sparsescope::app
