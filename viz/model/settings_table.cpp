#include "viz/model/settings_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "viz/model/fuzzy.h"

namespace sparsescope::viz {
namespace {

nlohmann::json json_of(const Setting& setting, const std::string& value) {
  if (setting.kind == Setting::Kind::Switch) return value == "on";
  if (setting.kind != Setting::Kind::Number) return value;
  const double number = number_from_text(value).value_or(0);
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? nlohmann::json(whole) : nlohmann::json(number);
}

// Empty when the value is of another kind than the setting.
std::string text_of(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_number()) return fmt::format("{:.10g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : std::string("{}");
}

}  // namespace

CommandArgument argument_of(const Setting& setting) {
  using Kind = CommandArgument::Kind;
  CommandArgument argument;
  argument.name = setting.words;
  argument.unit = setting.unit;
  argument.current = setting.get;
  argument.why_not = setting.why_not;
  switch (setting.kind) {
    case Setting::Kind::Switch:
      argument.kind = Kind::Choice;
      argument.choices = [] { return std::vector<std::string>{"on", "off"}; };
      break;
    case Setting::Kind::Choice:
      argument.kind = Kind::Choice;
      argument.choices = [choices = setting.choices] { return choices; };
      break;
    case Setting::Kind::Number:
      argument.kind = Kind::Number;
      argument.range = [range = setting.range] { return range; };
      break;
    case Setting::Kind::Text:
      argument.kind = Kind::Text;
      break;
  }
  return argument;
}

void SettingsTable::add(Setting setting) {
  check(
      !setting.id.empty() && !setting.section.empty() && !setting.words.empty() && setting.get && setting.set,
      "a setting has an id, a section, words and both ways to its value");
  check(find(setting.id) == nullptr, "two settings are called '" + setting.id + "'");
  settings_.push_back(std::move(setting));
}

const Setting* SettingsTable::find(std::string_view id) const {
  const auto it = std::find_if(settings_.begin(), settings_.end(),
                               [&](const Setting& setting) { return setting.id == id; });
  return it == settings_.end() ? nullptr : &*it;
}

std::string SettingsTable::set(std::string_view id, const std::string& value) const {
  const Setting* setting = find(id);
  if (setting == nullptr) return fmt::format("there is no setting '{}'", id);
  const std::string problem = problem_with(argument_of(*setting), value);
  if (!problem.empty()) return problem;
  const bool is_number = setting->kind == Setting::Kind::Number;
  setting->set(is_number ? fmt::format("{:.10g}", *number_from_text(value)) : value);
  return "";
}

void SettingsTable::reset(std::string_view id) const {
  if (const Setting* setting = find(id)) setting->set(setting->standard);
}

std::vector<const Setting*> SettingsTable::search(std::string_view query) const {
  std::vector<const Setting*> found;
  for (const Setting& setting : settings_) {
    if (fuzzy_score(query, setting.section + " " + setting.words + " " + setting.text) > 0)
      found.push_back(&setting);
  }
  return found;
}

std::string SettingsTable::file_text() const {
  std::string text =
      "// Settings of Sparsescope. May be edited by hand; what is left out has its standard value.\n{";
  std::string section;
  for (const Setting& setting : settings_) {
    text += setting.id == settings_.front().id ? "\n" : ",\n";
    if (setting.section != section) text += fmt::format("\n  // --- {}\n", setting.section);
    section = setting.section;
    std::string comment = setting.text;
    if (!setting.choices.empty()) comment += fmt::format(" One of: {}.", fmt::join(setting.choices, ", "));
    if (setting.kind == Setting::Kind::Number)
      comment += fmt::format(" {} to {}.", format_unit(setting.range.minimum, setting.unit),
                             format_unit(setting.range.maximum, setting.unit));
    text += fmt::format("  // {}\n  {}: {}", comment, nlohmann::json(setting.id).dump(),
                        json_of(setting, setting.get()).dump());
  }
  return text + "\n}\n";
}

std::vector<std::string> SettingsTable::read(const std::string& text) const {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false, true);
  if (!json.is_object()) throw Error("the settings are no JSON object");
  std::vector<std::string> problems;
  for (const Setting& setting : settings_) {
    if (!json.contains(setting.id)) continue;
    const std::string problem = set(setting.id, text_of(json[setting.id]));
    if (!problem.empty())
      problems.push_back(fmt::format("Setting {}: {}; it keeps {}", setting.id, problem, setting.get()));
  }
  return problems;
}

}  // namespace sparsescope::viz
