#include "engine/experiments/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

toml::table table_of_file(const std::string& path) {
  try {
    return toml::parse(text_of_file(path), path);
  } catch (const toml::parse_error& error) {
    throw Error(fmt::format("{}, line {}: this is not TOML: {}", path, error.source().begin.line,
                            error.description()),
                ExitCode::Usage);
  }
}

void fail_at(const std::string& path, const toml::node& node, const std::string& sentence) {
  throw Error(fmt::format("{}, line {}: {}", path, node.source().begin.line, sentence), ExitCode::Usage);
}

void TomlReader::read(const toml::table& table) {
  apply(table, "");
  const toml::node* cpu = table.get("cpu");
  if (cpu == nullptr) return;
  if (!cpu->is_table()) fail_at(path_, *cpu, "cpu is a table of keys that differ on a CPU");
  if (experiment_.profile == "cpu") apply(*cpu->as_table(), "");
}

// `prefix` is the table's own dotted name with its dot.
void TomlReader::apply(const toml::table& table, const std::string& prefix) {
  for (const auto& [key, node] : table) {
    if (prefix.empty() && (key.str() == "cpu" || own_words_.count(key.str()) != 0)) continue;
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      apply(*inner, name + ".");
    } else {
      set(name, node);
    }
  }
}

void TomlReader::set(const std::string& name, const toml::node& node) {
  try {
    set_value(experiment_, field_of(name), value_from_node(name, node));
  } catch (const Error& error) {
    fail_at(path_, node, error.what());
  }
}

}  // namespace sparsescope::experiments
