// sparsescope-cli info: what is in a recording, for a person or as JSON. Of a folder of many: study_report.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "app/cli/cli.h"
#include "app/cli/recording_walk.h"
#include "app/cli/study_report.h"
#include "engine/record/schema_json.h"
#include "engine/trace/error.h"
#include "engine/trace/text.h"
#include "viz/model/events.h"

namespace sparsescope::app {
namespace {

struct Contents {
  std::uint64_t rows = 0, first_step = 0, last_step = 0;
  std::int64_t duration_nanos = 0;
  std::vector<std::uint64_t> rows_of_channel;
  std::vector<std::string> events;  // JSON texts
  trace::RunEnd end;
  ExitCode damage = ExitCode::Done;
};

Contents read_contents(RecordingWalk& walk) {
  Contents contents;
  contents.rows_of_channel.resize(walk.schema().channels.size());
  const trace::Channel* events = walk.schema().find("events");
  contents.end = walk.each_row([&](const trace::Frame& frame) {
    if (contents.rows++ == 0) contents.first_step = frame.step;
    contents.last_step = frame.step;
    contents.duration_nanos = std::max(contents.duration_nanos, frame.mono_nanos);
    for (std::uint32_t id = 0; id < contents.rows_of_channel.size(); ++id) {
      if (frame.present.has(id)) ++contents.rows_of_channel[id];
    }
    if (events == nullptr) return;
    if (const trace::ChannelData* data = frame.find(events->id)) {
      std::string_view payload;  // of long events
      const trace::Channel* payloads = walk.schema().find("event_payloads");
      const trace::ChannelData* long_ones = payloads == nullptr ? nullptr : frame.find(payloads->id);
      if (long_ones != nullptr)
        payload = {reinterpret_cast<const char*>(long_ones->bytes.data()), long_ones->bytes.size()};
      for (std::string& text : trace::texts_of(*data))
        contents.events.push_back(viz::whole_event(std::move(text), payload));
    }
  });
  contents.damage = walk.damage();
  return contents;
}

// The state of the file, and how the run in it ended by its own last words.
std::string state_words(const Contents& contents) {
  if (contents.damage != ExitCode::Done) return "damaged";
  if (contents.end.status == trace::RunStatus::Unclosed) return "being written, or its writer died";
  const nlohmann::json last = contents.events.empty()
                                  ? nlohmann::json()
                                  : nlohmann::json::parse(contents.events.back(), nullptr, false);
  const bool has_ended = last.is_object() && last.value("kind", "") == "end";
  return "closed, " +
         (has_ended ? last.value("status", "ended") : std::string("recording ended before the run"));
}

std::string shape_words(const trace::Channel& channel) {
  std::string words = channel.kind == trace::ChannelKind::Ragged ? "ragged" : "";
  for (const trace::Axis& axis : channel.axes) {
    words += fmt::format("{}{} {}", words.empty() ? "" : " x ", axis.name, axis.size);
  }
  return words.empty() ? "scalar" : words;
}

std::string cadence_words(const trace::Channel& channel) {
  if (channel.cadence == 0) return "when it happens";
  return channel.cadence == 1 ? "every step" : fmt::format("every {} steps", channel.cadence);
}

std::string event_words(const std::string& text) {
  const nlohmann::json event = nlohmann::json::parse(text, nullptr, false);
  if (!event.is_object() || !event.contains("step") || !event["step"].is_number()) return text;
  const auto words = [&](const char* key) {
    return event.contains(key) && event[key].is_string() ? event[key].get<std::string>() : "";
  };
  std::string text_words = words("text");
  if (event.contains("command")) {
    text_words =
        fmt::format("{} {}: {} -> {}", words("command"), words("name"),
                    event.value("old", nlohmann::json()).dump(), event.value("new", nlohmann::json()).dump());
  } else if (event.contains("payload_row")) {
    text_words =
        fmt::format("(too long; row {} of event_payloads is not there)", event["payload_row"].dump());
  }
  return fmt::format("step {:<6} {:<11} {}", event["step"].dump(), words("kind"), text_words);
}

void print_json(const std::string& path, const trace::Schema& schema, const Contents& contents) {
  nlohmann::ordered_json json;
  json["file"] = std::filesystem::path(path).filename().string();
  json["state"] = state_words(contents);
  json["message"] = contents.end.message;
  json["bytes"] = std::filesystem::file_size(path);
  json["rows"] = contents.rows;
  json["steps"] = {contents.first_step, contents.last_step};
  json["seconds"] = static_cast<double>(contents.duration_nanos) * 1e-9;
  json["rows_of_channel"] = nlohmann::ordered_json::object();
  for (const trace::Channel& channel : schema.channels) {
    json["rows_of_channel"][channel.name] = contents.rows_of_channel[channel.id];
  }
  json["events"] = nlohmann::ordered_json::array();
  for (const std::string& text : contents.events) {
    const auto event = nlohmann::ordered_json::parse(text, nullptr, false);
    json["events"].push_back(event.is_discarded() ? nlohmann::ordered_json(text) : event);
  }
  json["schema"] = nlohmann::ordered_json::parse(record::schema_to_json(schema));
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_words(const std::string& path, const trace::Schema& schema, const Contents& contents) {
  fmt::print("{}\n", schema.title);
  fmt::print("  state     {}{}\n", state_words(contents),
             contents.end.message.empty() ? "" : " (" + contents.end.message + ")");
  fmt::print("  size      {:.2f} MiB\n", static_cast<double>(std::filesystem::file_size(path)) / (1 << 20));
  fmt::print("  steps     {} to {} in {} rows, {:.1f} s\n", contents.first_step, contents.last_step,
             contents.rows, static_cast<double>(contents.duration_nanos) * 1e-9);
  if (schema.recovered)
    fmt::print("  recovered {} of {} frames of a recording that was not whole, last step {}\n",
               schema.recovered->frames, schema.recovered->of, schema.recovered->last_step);
  fmt::print("  recorded  {}, seed {}, run {}\n", schema.created_utc, schema.seed, schema.run_uuid);
  fmt::print("  channels\n");
  for (const trace::Channel& channel : schema.channels) {
    fmt::print("    {:<18} {:<7} {:<44} {:<12} {:<16} {} rows\n", channel.name,
               trace::dtype_name(channel.dtype), shape_words(channel), "[" + channel.unit + "]",
               cadence_words(channel), contents.rows_of_channel[channel.id]);
  }
  fmt::print("  events    {}\n", contents.events.size());
  for (const std::string& text : contents.events) fmt::print("    {}\n", event_words(text));
}

}  // namespace

void add_info_command(CLI::App& parser, CommandAction& chosen) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = parser.add_subcommand(
      "info",
      "Say what is in a recording (state, channels, steps, events), or how far the runs of "
      "an experiment's folder got and what they came to");
  command->add_option("file", options->path, "the recording, or the folder of an experiment")->required();
  command->add_flag("--json", options->json, "as one JSON object, with the whole schema");
  command->callback([options, &chosen] {
    chosen = [options] {
      std::error_code failure;
      if (std::filesystem::is_directory(options->path, failure)) {
        fmt::print("{}", options->json ? study_json(options->path) : study_words(options->path));
        return static_cast<int>(ExitCode::Done);
      }
      RecordingWalk walk(options->path);
      const Contents contents = read_contents(walk);
      if (options->json) {
        print_json(options->path, walk.schema(), contents);
      } else {
        print_words(options->path, walk.schema(), contents);
      }
      return static_cast<int>(contents.damage);
    };
  });
}

}  // namespace sparsescope::app
