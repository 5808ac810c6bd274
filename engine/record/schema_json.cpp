// Schema to JSON and back. What may be recorded is decided by engine/trace/schema; here only the form is
// checked.
#include "engine/record/schema_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "engine/record/chunk_plan.h"
#include "engine/trace/text.h"

namespace sparsescope::record {
namespace {

using Json = nlohmann::ordered_json;
using trace::Axis;
using trace::Channel;
using trace::Schema;

constexpr int kMaxDepth = 32;

[[noreturn]] void refuse(const std::string& why) {
  throw Error("the schema of this recording cannot be used: " + why, ExitCode::Refused);
}

// Writing.
Json embedded(const std::string& text, const char* what) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    throw Error(std::string("the ") + what + " of this run is not JSON and cannot be recorded",
                ExitCode::Refused);
  return json;
}

Json channel_to_json(const Channel& channel) {
  Json axes = Json::array();
  for (const Axis& axis : channel.axes) {
    Json entry = {{"name", axis.name}, {"size", axis.size}};
    if (!axis.labels.empty()) entry["labels"] = axis.labels;
    axes.push_back(std::move(entry));
  }
  Json filters = Json::array();
  if (channel.shuffle) filters.push_back("shuffle");
  if (channel.deflate) filters.push_back("deflate");
  Json json = {{"id", channel.id},
               {"name", channel.name},
               {"kind", channel.kind == trace::ChannelKind::Dense ? "dense" : "ragged"},
               {"dtype", trace::dtype_name(channel.dtype)},
               {"axes", std::move(axes)},
               {"unit", channel.unit},
               {"storage", channel.storage == trace::StorageClass::Once ? "once" : "packed"},
               {"chunk", channel.chunk},
               {"filters", std::move(filters)},
               {"cadence", channel.cadence},
               {"text", channel.text}};
  if (channel.dtype == trace::DType::Record) {
    Json fields = Json::array();
    for (const trace::RecordField& field : channel.fields) {
      fields.push_back(
          {{"name", field.name}, {"dtype", trace::dtype_name(field.dtype)}, {"offset", field.offset}});
    }
    json["fields"] = std::move(fields);
    json["record_bytes"] = channel.record_bytes;
  }
  return json;
}

// Reading.
// Depth is counted before parsing, so that no recursion is as deep as a file wishes.
void check_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) refuse("its JSON is nested deeper than 32 levels");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

Json parse(std::string_view text) {
  if (text.size() > kMaxSchemaBytes) refuse("it is larger than 1 MiB");
  if (!trace::is_utf8(text)) refuse("it is not UTF-8");
  check_depth(text);
  std::vector<std::set<std::string>> keys;
  bool has_duplicate = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      has_duplicate = true;
    return true;
  };
  Json json = Json::parse(text, watch, false);
  if (json.is_discarded() || !json.is_object()) refuse("it is not a JSON object");
  if (has_duplicate) refuse("a key appears twice in one object");
  return json;
}

const Json& member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) refuse(std::string("'") + key + "' is missing");
  return object[key];
}
std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) refuse(std::string("'") + key + "' is not a text");
  return value.get<std::string>();
}
std::uint64_t count_of(const Json& object, const char* key,
                       std::uint64_t limit = std::numeric_limits<std::int64_t>::max()) {
  const Json& value = member(object, key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > limit) {
    refuse(std::string("'") + key + "' is not a whole number in range");
  }
  return value.get<std::uint64_t>();
}
const Json& list_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_array()) refuse(std::string("'") + key + "' is not a list");
  return value;
}

trace::DType dtype_of(const Json& object, int minor) {
  const std::string name = text_of(object, "dtype");
  if (const auto dtype = trace::dtype_from_name(name)) return *dtype;
  if (minor > kFormatMinor) {
    throw Error("this recording has format 1." + std::to_string(minor) + " and uses the type '" + name +
                    "'; update Sparsescope to open it",
                ExitCode::NewerVersion);
  }
  refuse("it uses the unknown type '" + name + "'");
}

Axis axis_from_json(const Json& json) {
  Axis axis;
  axis.name = text_of(json, "name");
  axis.size = static_cast<std::int64_t>(count_of(json, "size"));
  if (json.contains("labels")) {
    for (const Json& label : list_of(json, "labels")) {
      if (!label.is_string()) refuse("a label is not a text");
      axis.labels.push_back(label.get<std::string>());
    }
  }
  return axis;
}

Channel channel_from_json(const Json& json, int minor) {
  Channel channel;
  channel.id = static_cast<std::uint32_t>(count_of(json, "id", 255));
  channel.name = text_of(json, "name");
  const std::string kind = text_of(json, "kind"), storage = text_of(json, "storage");
  if (kind != "dense" && kind != "ragged") refuse("a channel is neither dense nor ragged");
  if (storage != "once" && storage != "packed") refuse("a channel is stored neither once nor packed");
  channel.kind = kind == "dense" ? trace::ChannelKind::Dense : trace::ChannelKind::Ragged;
  channel.storage = storage == "once" ? trace::StorageClass::Once : trace::StorageClass::Packed;
  channel.dtype = dtype_of(json, minor);
  for (const Json& axis : list_of(json, "axes")) channel.axes.push_back(axis_from_json(axis));
  channel.unit = text_of(json, "unit");
  channel.text = text_of(json, "text");
  channel.cadence = static_cast<std::int64_t>(count_of(json, "cadence"));
  for (const Json& extent : list_of(json, "chunk")) {
    if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > (1u << 30))
      refuse("a chunk size is out of range");
    channel.chunk.push_back(extent.get<std::int64_t>());
  }
  for (const Json& filter : list_of(json, "filters")) {
    if (filter == "shuffle" && !channel.shuffle && !channel.deflate) {
      channel.shuffle = true;
    } else if (filter == "deflate" && !channel.deflate) {
      channel.deflate = true;
    } else {
      refuse("channel '" + channel.name + "' has filters other than shuffle, deflate");
    }
  }
  if (channel.dtype == trace::DType::Record) {
    channel.record_bytes = static_cast<std::size_t>(count_of(json, "record_bytes", 4096));
    for (const Json& field : list_of(json, "fields")) {
      channel.fields.push_back({text_of(field, "name"), dtype_of(field, minor),
                                static_cast<std::size_t>(count_of(field, "offset", 4096))});
    }
  }
  return channel;
}

}  // namespace

std::string schema_to_json(const Schema& schema) {
  validate_schema(schema);
  Json channels = Json::array();
  for (const Channel& channel : schema.channels) {
    check_chunk_plan(channel);
    channels.push_back(channel_to_json(channel));
  }
  Json parent = nullptr;
  if (schema.parent) {
    parent = {{"run_uuid", schema.parent->run_uuid},
              {"step", schema.parent->step},
              {"checkpoint_sha256", schema.parent->checkpoint_sha256},
              {"changes", embedded(schema.parent->changes_json, "list of changes")}};
  }
  Json recovered = nullptr;
  if (schema.recovered) {
    recovered = {{"from_uuid", schema.recovered->from_uuid},
                 {"frames", schema.recovered->frames},
                 {"of", schema.recovered->of},
                 {"last_step", schema.recovered->last_step}};
  }
  const Json json = {{"format", "sparsescope-recording"},
                     {"version", {kFormatMajor, kFormatMinor}},
                     {"run",
                      {{"uuid", schema.run_uuid},
                       {"title", schema.title},
                       {"created_utc", schema.created_utc},
                       {"seed", schema.seed}}},
                     {"parent", std::move(parent)},
                     {"experiment", embedded(schema.experiment_json, "experiment")},
                     {"build", embedded(schema.build_json, "build description")},
                     {"device", embedded(schema.device_json, "device description")},
                     {"channels", std::move(channels)},
                     {"recovered", std::move(recovered)}};
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::exception&) {
    throw Error("a text of this run's schema is not UTF-8 and cannot be recorded", ExitCode::Refused);
  }
  check_depth(text);
  if (text.size() > kMaxSchemaBytes) {
    throw Error("the schema of this run takes " + std::to_string(text.size()) +
                    " bytes as JSON and a recording holds at most 1 MiB of it; "
                    "shorten labels or texts",
                ExitCode::Refused);
  }
  return text;
}

Schema schema_from_json(std::string_view text) {
  const Json json = parse(text);
  if (text_of(json, "format") != "sparsescope-recording") refuse("it is not of a Sparsescope recording");
  const Json& version = list_of(json, "version");
  if (version.size() != 2 || !version[0].is_number_unsigned() || !version[1].is_number_unsigned() ||
      version[0].get<std::uint64_t>() < 1 || version[0].get<std::uint64_t>() > 1'000'000 ||
      version[1].get<std::uint64_t>() > 1'000'000) {
    refuse("its version is not a pair of numbers");
  }
  if (version[0].get<int>() > kFormatMajor) {
    throw Error("this recording has format " + std::to_string(version[0].get<int>()) + "." +
                    std::to_string(version[1].get<int>()) +
                    " and this program reads format 1; update Sparsescope to open it",
                ExitCode::NewerVersion);
  }
  Schema schema;
  const Json& run = member(json, "run");
  schema.run_uuid = text_of(run, "uuid");
  schema.title = text_of(run, "title");
  schema.created_utc = text_of(run, "created_utc");
  schema.seed = count_of(run, "seed", std::numeric_limits<std::uint64_t>::max());
  if (const Json& parent = member(json, "parent"); !parent.is_null()) {
    schema.parent = trace::Parent{text_of(parent, "run_uuid"),
                                  count_of(parent, "step", std::numeric_limits<std::uint64_t>::max()),
                                  text_of(parent, "checkpoint_sha256"), list_of(parent, "changes").dump()};
  }
  if (const Json& recovered = member(json, "recovered"); !recovered.is_null()) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    schema.recovered =
        trace::Recovery{text_of(recovered, "from_uuid"), count_of(recovered, "frames", kMost),
                        count_of(recovered, "of", kMost), count_of(recovered, "last_step", kMost)};
  }
  schema.experiment_json = member(json, "experiment").dump();
  schema.build_json = member(json, "build").dump();
  schema.device_json = member(json, "device").dump();
  for (const Json& channel : list_of(json, "channels")) {
    if (schema.channels.size() == 256) refuse("it has more than 256 channels");
    schema.channels.push_back(channel_from_json(channel, version[1].get<int>()));
  }
  validate_schema(schema);
  for (const Channel& channel : schema.channels) check_chunk_plan(channel);
  return schema;
}

}  // namespace sparsescope::record
