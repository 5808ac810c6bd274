// Experiments as JSON: what recordings and checkpoints carry.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/experiments/fields.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

using Json = nlohmann::ordered_json;

Value value_from_json(const std::string& name, const Json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    const auto every = [&json](auto fits) { return std::all_of(json.begin(), json.end(), fits); };
    if (every([](const Json& item) { return item.is_number_integer(); }))
      return json.get<std::vector<std::int64_t>>();
    if (every([](const Json& item) { return item.is_number(); })) return json.get<std::vector<double>>();
  }
  throw Error(fmt::format("{} does not fit: it takes {}", name, what_fits(field_of(name).key)),
              ExitCode::Usage);
}

void apply(Experiment& experiment, const Json& object, const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object()) {
      apply(experiment, value, name + ".");
    } else {
      const Field& field = field_of(name);
      set_value(experiment, field, value_from_json(name, value));
    }
  }
}

}  // namespace

std::string to_json(const Experiment& experiment) {
  Json json;
  for (const Field& field : fields()) {
    const std::string& name = field.key.name;
    const std::size_t dot = name.find('.');
    Json& place = dot == std::string::npos ? json[name] : json[name.substr(0, dot)][name.substr(dot + 1)];
    std::visit([&place](const auto& value) { place = value; }, value_of(experiment, field));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Experiment experiment_from_json(const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object())
    throw Error("the recorded experiment is not a JSON object");
  Experiment experiment;
  try {
    apply(experiment, parsed, "");
  } catch (const Error& error) {
    throw Error(std::string("the recorded experiment cannot be used: ") + error.what(), error.code());
  }
  return experiment;
}

}  // namespace sparsescope::experiments
