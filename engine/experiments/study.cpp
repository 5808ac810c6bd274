#include "engine/experiments/study.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "engine/experiments/manifest.h"
#include "engine/experiments/toml_reader.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

constexpr std::uint64_t kMostSeed = (std::uint64_t{1} << 53) - 1;  // JSON readers keep such numbers exact

std::string text_at(const std::string& path, const toml::table& table, const char* key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return "";
  if (!node->is_string()) fail_at(path, *node, fmt::format("{} is a text", key));
  return node->as_string()->get();
}

std::vector<std::uint64_t> seeds_of(const std::string& path, const toml::table& table) {
  const toml::node* node = table.get("seeds");
  if (node == nullptr)
    throw Error(path + ": arms need seeds; say for example seeds = [1, 2, 3]", ExitCode::Usage);
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty())
    fail_at(path, *node, "seeds is a list of whole numbers, for example [1, 2, 3]");
  std::vector<std::uint64_t> seeds;
  for (const toml::node& item : *list) {
    const std::int64_t seed = item.is_integer() ? item.as_integer()->get() : -1;
    if (seed < 0 || static_cast<std::uint64_t>(seed) > kMostSeed)
      fail_at(path, item, fmt::format("seeds holds whole numbers from 0 to {}", kMostSeed));
    seeds.push_back(static_cast<std::uint64_t>(seed));
  }
  return seeds;
}

// The preset that `table` names; nothing is said: `otherwise`.
Experiment base_of(const std::string& path, const toml::table& table, const Experiment& otherwise) {
  const std::string base = text_at(path, table, "base");
  if (base.empty()) return otherwise;
  try {
    return load_preset(base, otherwise.profile);
  } catch (const Error& error) {
    fail_at(path, *table.get("base"), error.what());
  }
}

void refuse_seed(const std::string& path, const toml::table& table) {
  for (const char* place : {"train.seed", "cpu.train.seed"}) {
    if (const auto seed = toml::at_path(table, place))
      fail_at(path, *seed.node(), "train.seed stands beside seeds; leave it out, each run gets its own");
  }
}

Arm arm_of(const std::string& path, const toml::table& all, const toml::table& own, const Study& study,
           const Experiment& defaults) {
  Arm arm;
  const toml::node* name = own.get("name");
  if (name == nullptr || !name->is_string() || name->as_string()->get().empty())
    fail_at(path, own, "an arm has no name; give each of [[arms]] one, for example name = \"wide\"");
  refuse_seed(path, own);
  arm.name = name->as_string()->get();
  arm.experiment = base_of(path, own, base_of(path, all, defaults));
  TomlReader(path, arm.experiment, {"name", "title", "text", "base", "seeds", "arms"}).read(all);
  arm.experiment.name = arm.name;
  arm.experiment.title = arm.name;
  if (!study.text.empty()) arm.experiment.text = study.text;
  TomlReader(path, arm.experiment, {"name", "base"}).read(own);
  return arm;
}

// Both but for what they are called.
bool is_same(Experiment a, const Experiment& b) {
  a.name = b.name, a.title = b.title, a.text = b.text;
  return a == b;
}

}  // namespace

bool is_study(const std::string& path) {
  try {
    const toml::table table = table_of_file(path);
    return table.contains("arms") || table.contains("seeds");
  } catch (const Error&) {
    return false;  // who loads it says what is wrong
  }
}

Study load_study(const std::string& path, const std::string& profile) {
  check(profile == "gpu" || profile == "cpu", "a profile is gpu or cpu");
  const toml::table table = table_of_file(path);
  Study study;
  study.name = text_at(path, table, "name");
  if (study.name.empty()) study.name = std::filesystem::path(path).stem().native();
  study.title = text_at(path, table, "title");
  if (study.title.empty()) study.title = study.name;
  study.text = text_at(path, table, "text");
  study.seeds = seeds_of(path, table);
  refuse_seed(path, table);
  Experiment defaults;
  defaults.profile = profile;
  if (const toml::node* arms = table.get("arms")) {
    const toml::array* list = arms->as_array();
    if (list == nullptr || list->empty() || !list->is_homogeneous(toml::node_type::table))
      fail_at(path, *arms, "arms are tables; begin each with [[arms]]");
    for (const toml::node& arm : *list)
      study.arms.push_back(arm_of(path, table, *arm.as_table(), study, defaults));
  } else {
    toml::table only;
    only.insert("name", study.name);
    study.arms.push_back(arm_of(path, table, only, study, defaults));
  }
  try {
    validate(study);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what(), error.code());
  }
  return study;
}

void validate(const Study& study) {
  const auto refuse = [](const std::string& sentence) { throw Error(sentence, ExitCode::Usage); };
  if (!is_file_name(study.name))
    refuse(fmt::format("name = \"{}\" cannot be part of a file name; use letters, digits, '-', '_' and '.'",
                       study.name));
  std::set<std::uint64_t> seeds;
  for (const std::uint64_t seed : study.seeds) {
    if (!seeds.insert(seed).second) refuse(fmt::format("seed {} stands twice in seeds; name it once", seed));
  }
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    const Arm& arm = study.arms[i];
    if (!is_file_name(arm.name))
      refuse(fmt::format("arm \"{}\" cannot be part of a file name; use letters, digits, '-', '_' and '.'",
                         arm.name));
    for (std::size_t j = 0; j < i; ++j) {
      if (study.arms[j].name == arm.name)
        refuse(fmt::format("two arms are called {}; give one another name", arm.name));
      if (is_same(study.arms[j].experiment, arm.experiment))
        refuse(fmt::format("arms {} and {} are the same experiment; change a key of one or leave it out",
                           study.arms[j].name, arm.name));
    }
    try {
      validate(arm.experiment);
    } catch (const Error& error) {
      refuse(fmt::format("arm {}: {}", arm.name, error.what()));
    }
  }
}

std::vector<StudyRun> runs_of(const Study& study) {
  std::vector<StudyRun> runs;
  for (const std::uint64_t seed : study.seeds) {
    for (const Arm& arm : study.arms) {
      StudyRun run{arm.name, seed, arm.experiment};
      run.experiment.train.seed = seed;
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

}  // namespace sparsescope::experiments
