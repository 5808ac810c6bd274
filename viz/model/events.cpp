#include "viz/model/events.h"

#include <nlohmann/json.hpp>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

std::string value_in_words(const Json& value) {
  if (value.is_number()) return format_number(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_field(const Json& json, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto it = json.find(name); it != json.end() && it->is_string()) return it->get<std::string>();
  }
  return {};
}

std::string without_underscores(std::string name) {
  for (char& c : name) {
    if (c == '_') c = ' ';
  }
  return name;
}

// "sparsity weight 0 → 0.1" for a control, "pause at 300" or "pause" for what is asked, else the words an
// event brings.
std::string words_of(const Json& json, const std::string& kind) {
  const std::string command = text_field(json, {"command"}), name = text_field(json, {"name"});
  const auto old_value = json.find("old"), new_value = json.find("new");
  if (new_value != json.end() && !name.empty()) {
    const bool has_old = old_value != json.end() && !old_value->is_null();
    return without_underscores(name) + " " + (has_old ? value_in_words(*old_value) + " → " : std::string()) +
           value_in_words(*new_value);
  }
  if (new_value != json.end() && new_value->is_number() && !command.empty())
    return without_underscores(command) + " " + value_in_words(*new_value);
  const std::string text = text_field(json, {"text", "words", "message", "title"});
  if (!text.empty()) return text;
  return without_underscores(!command.empty() ? command : !name.empty() ? name : kind);
}

}  // namespace

std::string whole_event(std::string element, std::string_view payload) {
  if (element.find("\"payload_begin\"") == std::string::npos) return element;
  const Json json = Json::parse(element, nullptr, false);
  if (!json.is_object()) return element;
  const auto begin = json.find("payload_begin"), end = json.find("payload_end");
  if (begin == json.end() || end == json.end() || !begin->is_number_unsigned() || !end->is_number_unsigned())
    return element;
  const auto first = begin->get<std::uint64_t>(), last = end->get<std::uint64_t>();
  return first <= last && last <= payload.size() ? std::string(payload.substr(first, last - first)) : element;
}

Event event_from_json(std::string_view json, std::uint64_t frame_step, std::int64_t mono_nanos) {
  Event event{frame_step, mono_nanos, "unreadable", "unreadable event", std::string(json)};
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return event;
  event.kind = text_field(parsed, {"kind"});
  if (event.kind.empty()) event.kind = "note";
  event.words = words_of(parsed, event.kind);
  return event;
}

}  // namespace sparsescope::viz
