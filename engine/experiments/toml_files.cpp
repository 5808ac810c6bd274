// Experiments as TOML: reading files with their [cpu] table, writing, and the presets in the assets folder.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "engine/experiments/fields.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInstalledAssets = "../share/sparsescope/assets";  // from the folder of the program

template <typename T>
std::vector<T> list_of(const toml::array& array) {
  std::vector<T> list;
  for (const toml::node& item : array) list.push_back(*item.value<T>());
  return list;
}

// Throws Error for dates and for lists of anything but numbers.
Value value_from_node(const std::string& name, const toml::node& node) {
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* toggle = node.as_boolean()) return toggle->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) {
    if (array->is_homogeneous(toml::node_type::integer)) return list_of<std::int64_t>(*array);
    const bool all_numbers =
        std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_number(); });
    if (all_numbers) return list_of<double>(*array);
  }
  throw Error(fmt::format("{} does not fit: it takes {}", name, what_fits(field_of(name).key)),
              ExitCode::Usage);
}

class Reader {
 public:
  Reader(std::string path, Experiment& experiment) : path_(std::move(path)), experiment_(experiment) {}

  // Sets every value under `table`; `prefix` is the table's own dotted name with its dot.
  void apply(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (prefix.empty() && name == "cpu") continue;
      if (const auto* inner = node.as_table()) {
        apply(*inner, name + ".");
      } else {
        set(name, node);
      }
    }
  }

 private:
  void set(const std::string& name, const toml::node& node) {
    try {
      const Field& field = field_of(name);
      set_value(experiment_, field, value_from_node(name, node));
    } catch (const Error& error) {
      throw Error(fmt::format("{}, line {}: {}", path_, node.source().begin.line, error.what()),
                  error.code());
    }
  }

  std::string path_;
  Experiment& experiment_;
};

std::string text_of_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw Error(fmt::format("there is no experiment file '{}'; check the path", path), ExitCode::Usage);
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw Error(fmt::format("the experiment file '{}' cannot be read; check its permissions", path));
  return text;
}

toml::table table_of_file(const std::string& path) {
  try {
    return toml::parse(text_of_file(path), path);
  } catch (const toml::parse_error& error) {
    throw Error(fmt::format("{}, line {}: this is not TOML: {}", path, error.source().begin.line,
                            error.description()),
                ExitCode::Usage);
  }
}

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
  Experiment experiment;
  experiment.name = fs::path(path).stem().native();
  experiment.profile = profile;
  Reader reader(path, experiment);
  reader.apply(table, "");
  const toml::node* cpu = table.get("cpu");
  if (cpu != nullptr && !cpu->is_table()) {
    throw Error(fmt::format("{}, line {}: cpu is a table of keys that differ on a CPU", path,
                            cpu->source().begin.line),
                ExitCode::Usage);
  }
  if (cpu != nullptr && experiment.profile == "cpu") reader.apply(*cpu->as_table(), "");
  return experiment;
}

std::vector<Preset> presets() {
  const fs::path folder = assets_folder("experiments");
  std::vector<Preset> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".toml") continue;
    const Experiment experiment = load_experiment(entry.path().native(), "gpu");
    found.push_back({entry.path().stem().native(), experiment.title, experiment.text, entry.path().native()});
  }
  if (found.empty()) {
    throw Error("there are no presets in " + folder.native() +
                "; install the program's assets there or set SPARSESCOPE_ASSETS to their folder");
  }
  std::sort(found.begin(), found.end(), [](const Preset& a, const Preset& b) {
    return std::pair(a.name != kDefaultPreset, a.name) < std::pair(b.name != kDefaultPreset, b.name);
  });
  return found;
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
