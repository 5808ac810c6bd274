#include "engine/experiments/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/trace/error.h"
#include "engine/trace/write_file.h"

namespace sparsescope::experiments {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "sparsescope-experiment";
constexpr int kMajor = 1, kMinor = 0;
constexpr std::array kStates = {"waiting", "running", "finished", "failed", "stopped"};

std::string path_of(const std::string& folder) { return (fs::path(folder) / kManifestFile).string(); }

// The text of nested JSON, or nothing where there is none.
Json nested(const std::string& text) { return text.empty() ? Json() : Json::parse(text); }
std::string text_of(const Json& json) { return json.is_null() ? std::string() : json.dump(); }

RunState state_of(const std::string& name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) throw Error("it knows a state '" + name + "'");
  return static_cast<RunState>(found - kStates.begin());
}

Json json_of(const ManifestRun& run) {
  Json json;
  json["arm"] = run.arm;
  json["seed"] = run.seed;
  json["state"] = state_name(run.state);
  if (!run.message.empty()) json["message"] = run.message;
  json["steps"] = run.steps;
  if (run.state != RunState::Waiting) json["recording"] = run.recording();
  if (run.resumed_at > 0) json["resumed_at"] = run.resumed_at;
  if (run.earlier_parts > 0) json["earlier_parts"] = run.earlier_parts;
  json["seconds"] = run.seconds;
  if (!run.device.empty()) {
    json["device"] = run.device;
    json["program"] = {{"version", run.version}, {"commit", run.commit}};
  }
  return json;
}

ManifestRun run_of(const Json& json) {
  ManifestRun run;
  run.arm = json.at("arm").get<std::string>();
  run.seed = json.at("seed").get<std::uint64_t>();
  run.state = state_of(json.at("state").get<std::string>());
  run.message = json.value("message", "");
  run.steps = json.value("steps", std::uint64_t{0});
  run.resumed_at = json.value("resumed_at", std::uint64_t{0});
  run.earlier_parts = json.value("earlier_parts", std::int64_t{0});
  run.seconds = json.value("seconds", 0.0);
  run.device = json.value("device", "");
  const Json program = json.value("program", Json::object());
  run.version = program.value("version", ""), run.commit = program.value("commit", "");
  return run;
}

ManifestArm arm_of(const Json& json) {
  return {json.at("name").get<std::string>(), text_of(json.at("experiment")),
          text_of(json.value("text", Json()))};
}

Manifest manifest_of(const Json& json) {
  Manifest manifest;
  manifest.name = json.at("name").get<std::string>();
  manifest.title = json.value("title", ""), manifest.text = json.value("text", "");
  manifest.created_utc = json.value("created_utc", "");
  manifest.corpus = json.value("corpus", std::vector<std::string>());
  for (const Json& command : json.value("commands", Json::array()))
    manifest.commands.push_back({command.value("utc", ""), command.value("command", "")});
  manifest.seeds = json.at("seeds").get<std::vector<std::uint64_t>>();
  for (const Json& arm : json.at("arms")) manifest.arms.push_back(arm_of(arm));
  for (const Json& run : json.at("runs")) manifest.runs.push_back(run_of(run));
  return manifest;
}

// Names become names of files: they are looked at, whoever wrote them.
void check_content(const Manifest& manifest) {
  std::set<std::string> arms, runs;
  for (const ManifestArm& arm : manifest.arms) {
    if (!is_file_name(arm.name)) throw Error("an arm is called '" + arm.name + "', which no file may be");
    if (!arms.insert(arm.name).second) throw Error("two arms are called " + arm.name);
  }
  for (const ManifestRun& run : manifest.runs) {
    if (arms.count(run.arm) == 0) throw Error("a run belongs to no arm");
    if (!runs.insert(run.name()).second) throw Error("run " + run.name() + " is listed twice");
    if (run.earlier_parts < 0 || run.earlier_parts > 1'000'000) throw Error("a run has impossible parts");
  }
  if (manifest.runs.empty()) throw Error("it lists no run");
}

}  // namespace

bool is_file_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

const char* state_name(RunState state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string ManifestRun::name() const { return fmt::format("{}-seed-{}", arm, seed); }
std::string ManifestRun::recording() const { return name() + ".h5"; }
std::string ManifestRun::recording_part(std::int64_t part) const {
  return fmt::format("{}.part-{}.h5", name(), part);
}

const ManifestArm& Manifest::arm(const std::string& wanted) const {
  const auto found = std::find_if(arms.begin(), arms.end(), [&](const auto& a) { return a.name == wanted; });
  check(found != arms.end(), "no arm " + wanted);
  return *found;
}

std::size_t Manifest::count(RunState state) const {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [state](const auto& run) { return run.state == state; }));
}

bool has_manifest(const std::string& folder) {
  std::error_code error;
  return fs::is_regular_file(path_of(folder), error);
}

Manifest load_manifest(const std::string& folder) {
  const std::string path = path_of(folder);
  if (!has_manifest(folder))
    throw refused(
        fmt::format("{} is a folder and no experiment: there is no {} in it", folder, kManifestFile));
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Json json = Json::parse(text, nullptr, false);
  if (!file || !json.is_object() || json.value("format", Json()) != kFormat)
    throw refused(path + " is damaged or belongs to another program: it cannot be read as a manifest");
  try {
    if (const int major = json.at("version").at(0).get<int>(); major > kMajor)
      throw Error(fmt::format("{} was written by a later program (format {}); this one reads {}", path, major,
                              kMajor),
                  ExitCode::NewerVersion);
    Manifest manifest = manifest_of(json);
    check_content(manifest);
    return manifest;
  } catch (const Json::exception&) {
    throw refused(path + " is damaged: something that a manifest says is missing in it");
  } catch (const Error& error) {
    if (error.code() == ExitCode::NewerVersion) throw;
    throw refused(path + " is damaged: " + error.what());
  }
}

std::string to_json(const Manifest& manifest) {
  Json json;
  json["format"] = kFormat;
  json["version"] = {kMajor, kMinor};
  json["name"] = manifest.name, json["title"] = manifest.title, json["text"] = manifest.text;
  json["created_utc"] = manifest.created_utc;
  json["corpus"] = manifest.corpus;
  json["commands"] = Json::array();
  for (const ManifestCommand& command : manifest.commands)
    json["commands"].push_back({{"utc", command.utc}, {"command", command.words}});
  json["seeds"] = manifest.seeds;
  json["arms"] = Json::array();
  for (const ManifestArm& arm : manifest.arms)
    json["arms"].push_back(
        {{"name", arm.name}, {"experiment", nested(arm.experiment_json)}, {"text", nested(arm.text_json)}});
  json["runs"] = Json::array();
  for (const ManifestRun& run : manifest.runs) json["runs"].push_back(json_of(run));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void save_manifest(const std::string& folder, const Manifest& manifest) {
  trace::write_file(path_of(folder), to_json(manifest));
}

std::vector<std::string> finished_recordings(const std::string& folder) {
  const Manifest manifest = load_manifest(folder);
  std::vector<std::string> paths;
  for (const ManifestRun& run : manifest.runs) {
    if (run.state == RunState::Finished) paths.push_back((fs::path(folder) / run.recording()).string());
  }
  if (paths.empty())
    throw refused(fmt::format("none of the {} runs of {} is finished yet", manifest.runs.size(), folder));
  return paths;
}

}  // namespace sparsescope::experiments
