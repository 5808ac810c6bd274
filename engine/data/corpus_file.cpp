// Reads assets/corpora/*.toml and refuses what could reach outside a package.
#include "engine/data/corpus_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "engine/data/files.h"
#include "engine/data/sha256.h"
#include "engine/experiments/experiment.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLongestFile = 1 << 20;
// Raise when the same packages would give another text.
constexpr const char* kStrippingFormat = "sparsescope-stripping-1";

constexpr std::string_view kLettersAndDigits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool consists_of(const std::string& text, std::string_view more) {
  return !text.empty() && kLettersAndDigits.find(text[0]) != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return kLettersAndDigits.find(c) != std::string_view::npos ||
                  more.find(c) != std::string_view::npos;
         });
}

bool stays_inside(const fs::path& path) {
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

// A table of the file, with sentences for what does not fit. Every key must have been asked for.
class TableReader {
 public:
  TableReader(const std::string& path, const toml::table& table) : path_(path), table_(table) {}

  [[noreturn]] void refuse(const toml::node& node, const std::string& why) const {
    throw refused(fmt::format("{}, line {}: {}", path_, node.source().begin.line, why));
  }

  std::string words(const char* key, bool is_needed) {
    const toml::node* node = find(key, is_needed);
    if (node == nullptr) return {};
    const std::optional<std::string> value = node->value<std::string>();
    if (!node->is_string()) refuse(*node, fmt::format("{} is a text in quotes", key));
    if (is_needed && value->empty()) refuse(*node, fmt::format("{} must not be empty", key));
    return *value;
  }

  std::int64_t bytes(const char* key, bool is_needed) {
    const toml::node* node = find(key, is_needed);
    if (node == nullptr) return 0;
    const std::optional<std::int64_t> value = node->value<std::int64_t>();
    if (!node->is_integer() || *value < 0) refuse(*node, fmt::format("{} is a whole number of bytes", key));
    return *value;
  }

  std::vector<std::string> list(const char* key, bool is_needed) {
    const toml::node* node = find(key, is_needed);
    std::vector<std::string> texts;
    if (node == nullptr) return texts;
    const toml::array* array = node->as_array();
    if (array == nullptr || (is_needed && array->empty()))
      refuse(*node, fmt::format("{} is a list of texts", key));
    for (const toml::node& item : *array) {
      if (!item.is_string()) refuse(item, fmt::format("{} is a list of texts", key));
      texts.push_back(*item.value<std::string>());
    }
    return texts;
  }

  template <typename Enum>
  Enum choice(const char* key, const std::map<std::string, Enum>& names) {
    const std::string name = words(key, true);
    const auto found = names.find(name);
    if (found != names.end()) return found->second;
    std::string known;
    for (const auto& [word, value] : names) known += (known.empty() ? "" : ", ") + word;
    refuse(*table_.get(key), fmt::format("{} '{}' is unknown; there are: {}", key, name, known));
  }

  const toml::node* find(const char* key, bool is_needed) {
    asked_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr && is_needed) refuse(table_, fmt::format("{} is missing", key));
    return node;
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, node] : table_) {
      if (asked_.count(std::string(key.str())) == 0)
        refuse(node, fmt::format("there is no key '{}' in a corpus file", key.str()));
    }
  }

 private:
  const std::string& path_;
  const toml::table& table_;
  std::set<std::string> asked_;
};

PackageText read_package(const std::string& path, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) throw refused(path + ": package is a list of tables, each headed [[package]]");
  TableReader reader(path, *table);
  PackageText text;
  text.package = reader.words("name", true);
  if (!consists_of(text.package, "+-."))
    reader.refuse(node, fmt::format("'{}' is not the name of a Debian package", text.package));
  text.version = reader.words("version", false);
  text.files = reader.list("files", true);
  text.without = reader.list("without", false);
  for (const auto* globs : {&text.files, &text.without}) {
    for (const std::string& glob : *globs) {
      if (glob.empty() || glob[0] == '/' || !stays_inside(glob))
        reader.refuse(
            node,
            fmt::format("'{}' is not a path inside a package: it begins with / or goes up with ..", glob));
    }
  }
  text.format = reader.choice<TextFormat>("format", {{"plain", TextFormat::Plain},
                                                     {"html", TextFormat::Html},
                                                     {"man", TextFormat::Man},
                                                     {"metamath", TextFormat::Metamath}});
  text.keep = reader.list("keep", false);
  text.skip = reader.list("skip", false);
  reader.refuse_unknown_keys();
  return text;
}

NamedCorpus read_installed(const std::string& path, const toml::node& node, const std::string& name) {
  const toml::table* table = node.as_table();
  if (table == nullptr) throw refused(path + ": installed is a table, headed [installed]");
  TableReader reader(path, *table);
  NamedCorpus installed;
  installed.name = name;
  installed.folder = reader.words("folder", true);
  if (installed.folder[0] != '/' || !stays_inside(installed.folder))
    reader.refuse(node, fmt::format("folder '{}' is not an absolute path without ..", installed.folder));
  installed.extensions = reader.list("extensions", true);
  reader.refuse_unknown_keys();
  return installed;
}

LanguageWords read_language(const std::string& path, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) throw refused(path + ": language is a table, headed [language]");
  TableReader reader(path, *table);
  LanguageWords words{reader.list("own", true), reader.list("foreign", true)};
  reader.refuse_unknown_keys();
  return words;
}

std::string definition_of(const CorpusFile& file) {
  Sha256 hash;
  const auto add = [&hash](const std::string& text) { hash.add(std::uint64_t{text.size()}).add(text); };
  add(kStrippingFormat);
  const auto add_all = [&](const std::vector<std::string>& texts) {
    hash.add(std::uint64_t{texts.size()});
    for (const std::string& text : texts) add(text);
  };
  hash.add(static_cast<std::uint64_t>(file.repeated_lines));
  for (const auto* texts : {&file.drop_lines, &file.language.own, &file.language.foreign}) add_all(*texts);
  for (const PackageText& package : file.packages) {
    add(package.package);
    hash.add(static_cast<std::uint64_t>(package.format));
    for (const auto* texts : {&package.files, &package.without, &package.keep, &package.skip})
      add_all(*texts);
  }
  return hash.hex();
}

toml::table parse(const std::string& path) {
  try {
    return toml::parse(read_file(path, kLongestFile), path);
  } catch (const toml::parse_error& error) {
    throw refused(fmt::format("{}, line {}: this is not TOML: {}", path, error.source().begin.line,
                              error.description()));
  }
}

}  // namespace

CorpusFile read_corpus_file(const std::string& path) {
  const toml::table table = parse(path);
  TableReader reader(path, table);
  CorpusFile file;
  file.name = fs::path(path).stem().native();
  if (!consists_of(file.name, "-_"))
    throw refused(fmt::format("{}: a corpus is named by letters, digits, - and _", path));
  file.title = reader.words("title", true);
  file.text = reader.words("text", true);
  file.licence = reader.words("licence", true);
  file.source = reader.words("source", true);
  file.approximate_bytes = reader.bytes("approximate_bytes", true);
  file.download_bytes = reader.bytes("download_bytes", false);
  file.max_bytes = reader.bytes("max_bytes", false);
  file.sha256 = reader.words("sha256", false);
  const toml::node* installed = reader.find("installed", false);
  const toml::node* packages = reader.find("package", false);
  if ((installed == nullptr) == (packages == nullptr))
    reader.refuse(table, "a corpus file names either [installed] files or [[package]]s");
  if (installed != nullptr) {
    file.installed = read_installed(path, *installed, file.name);
  } else {
    file.repeated_lines = reader.choice<RepeatedLines>(
        "repeated_lines", {{"kept", RepeatedLines::Kept}, {"removed", RepeatedLines::Removed}});
    file.drop_lines = reader.list("drop_lines", false);
    if (const toml::node* language = reader.find("language", false))
      file.language = read_language(path, *language);
    if (packages->as_array() == nullptr)
      reader.refuse(*packages, "package is a list of tables, each headed [[package]]");
    for (const toml::node& node : *packages->as_array()) file.packages.push_back(read_package(path, node));
  }
  reader.refuse_unknown_keys();
  file.definition = definition_of(file);
  return file;
}

std::vector<std::string> corpus_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(experiments::assets_folder("corpora"), error)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().native());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<CorpusFile> find_corpus_file(const std::string& name) {
  const std::vector<std::string> names = corpus_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
  return read_corpus_file(experiments::assets_folder("corpora") + "/" + name + ".toml");
}

}  // namespace sparsescope::data
