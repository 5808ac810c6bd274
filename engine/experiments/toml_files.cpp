// Experiments as TOML: files of one run with their [cpu] table, writing, and the presets in the assets
// folder.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "engine/experiments/study.h"
#include "engine/experiments/toml_reader.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInstalledAssets = "../share/sparsescope/assets";  // from the folder of the program

}  // namespace

std::string assets_folder(const std::string& kind) {
  const char* chosen = std::getenv("SPARSESCOPE_ASSETS");
  if (chosen != nullptr && *chosen != '\0') return fs::path(chosen) / kind;
  std::error_code error;
  const fs::path source = fs::path(SPARSESCOPE_ASSETS) / kind;
  if (fs::is_directory(source, error)) return source;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return (program.parent_path() / kInstalledAssets / kind).lexically_normal();
}

std::string text_from_toml(const std::string& quoted) {
  try {
    const toml::table table = toml::parse("text = " + quoted);
    const std::optional<std::string> text = table["text"].value<std::string>();
    if (table.size() == 1 && text) return *text;
  } catch (const toml::parse_error&) {
    // Said below, without the parser's line numbers, which mean nothing for one value.
  }
  throw Error(fmt::format("{} is not a quoted text as TOML writes it; leave the quotes out", quoted),
              ExitCode::Usage);
}

Experiment load_experiment(const std::string& path, const std::string& profile) {
  check(profile == "gpu" || profile == "cpu", "a profile is gpu or cpu");
  const toml::table table = table_of_file(path);
  for (const char* word : {"arms", "seeds"}) {
    if (const toml::node* node = table.get(word))
      fail_at(path, *node,
              fmt::format("{} make this many runs, and one was asked for; train it with --experiment, into a "
                          "folder",
                          word));
  }
  Experiment experiment;
  experiment.name = fs::path(path).stem().native();
  experiment.profile = profile;
  TomlReader(path, experiment, {}).read(table);
  return experiment;
}

namespace {

enum class Kind { OneRun, Study };

// The files of one kind in assets/experiments, by name.
std::vector<Preset> shipped(Kind kind) {
  std::vector<Preset> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(assets_folder("experiments"), error)) {
    const std::string path = entry.path().native();
    if (entry.path().extension() != ".toml" || is_study(path) != (kind == Kind::Study)) continue;
    Preset preset{entry.path().stem().native(), "", "", path};
    if (kind == Kind::OneRun) {
      const Experiment experiment = load_experiment(path, "gpu");
      preset.title = experiment.title, preset.text = experiment.text;
    } else {
      const Study study = load_study(path, "gpu");
      preset.title = study.title, preset.text = study.text;
    }
    found.push_back(std::move(preset));
  }
  std::sort(found.begin(), found.end(), [](const Preset& a, const Preset& b) { return a.name < b.name; });
  return found;
}

}  // namespace

std::vector<Preset> presets() {
  std::vector<Preset> found = shipped(Kind::OneRun);
  if (found.empty()) {
    throw Error("there are no presets in " + assets_folder("experiments") +
                "; install the program's assets there or set SPARSESCOPE_ASSETS to their folder");
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const Preset& preset) { return preset.name == kDefaultPreset; });
  return found;
}

std::vector<Preset> studies() { return shipped(Kind::Study); }

std::string experiment_path(const std::string& name_or_file) {
  std::error_code error;
  if (fs::exists(name_or_file, error)) return name_or_file;
  const bool is_path =
      name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".toml") || name_or_file.empty();
  if (is_path) return name_or_file;  // who reads it says that it is missing
  std::string names;
  for (const std::vector<Preset>& kind : {studies(), presets()}) {
    for (const Preset& preset : kind) {
      if (preset.name == name_or_file) return preset.path;
      names += (names.empty() ? "" : ", ") + preset.name;
    }
  }
  throw Error(fmt::format("there is no experiment '{}', neither a file nor one that ships; there are: {}",
                          name_or_file, names),
              ExitCode::Usage);
}

Experiment load_preset(const std::string& name, const std::string& profile) {
  std::string names;
  for (const Preset& preset : presets()) {
    if (preset.name == name) return load_experiment(preset.path, profile);
    names += (names.empty() ? "" : ", ") + preset.name;
  }
  throw Error(fmt::format("there is no preset '{}'; there are: {}", name, names), ExitCode::Usage);
}

std::string to_toml(const Experiment& experiment) {
  std::string text, table;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    if (dot != std::string::npos && key.name.substr(0, dot) != table) {
      table = key.name.substr(0, dot);
      text += "\n[" + table + "]\n";
    }
    text += (dot == std::string::npos ? key.name : key.name.substr(dot + 1)) + " = " +
            get(experiment, key.name) + "\n";
  }
  return text;
}

}  // namespace sparsescope::experiments
