// Walks folders, expands globs and reads files, with one sentence for everything that can go wrong.
#include "engine/data/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "engine/data/utf8.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

constexpr double kMostControlShare = 0.05;
constexpr std::size_t kReportEvery = 256;  // files, or folders, between two reports

std::string quoted(const std::string& path) { return "'" + path + "'"; }

std::string reason_of(int error) { return std::strerror(error); }

// Collects files, remembering which ones it has seen under another name.
class Collector {
 public:
  Collector(FoundFiles& found, const Task& task) : found_(found), task_(task) {}

  void add_named(const std::string& path) { add(path, status_of(path), true); }

  // Walks `folder` deeply; `wanted` answers by file name.
  template <typename Wanted>
  void add_folder(const std::string& folder, Wanted wanted) {
    std::vector<std::string> paths;
    walk(folder, wanted, paths);
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) add(path, status_of(path), false);
  }

  void add_match(const std::string& path) {
    const struct stat status = status_of(path);
    if (S_ISDIR(status.st_mode)) {
      add_folder(path, [](const fs::path&) { return true; });
    } else {
      add(path, status, false);
    }
  }

 private:
  static struct stat status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      throw refused("cannot read " + quoted(path) + ": " + reason_of(errno) +
                    "; check the path and its permissions");
    }
    return status;
  }

  void add(const std::string& path, const struct stat& status, bool is_named) {
    if (!S_ISREG(status.st_mode)) {
      if (is_named)
        throw refused(quoted(path) + " is neither a file nor a folder; text is read from regular files only");
      ++found_.skipped;
      return;
    }
    const bool is_new = seen_.emplace(status.st_dev, status.st_ino).second;
    if (!is_new || status.st_size == 0) {
      if (is_named && status.st_size == 0)
        throw refused(quoted(path) + " is empty; name a file that holds text");
      ++found_.skipped;
      return;
    }
    found_.files.push_back({path, static_cast<std::uint64_t>(status.st_size), is_named});
  }

  template <typename Wanted>
  void walk(const std::string& folder, Wanted wanted, std::vector<std::string>& paths) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) {
      throw refused("cannot read the folder " + quoted(folder) + ": " + error.message() +
                    "; check its permissions");
    }
    if (folders_++ % kReportEvery == 0) task_.report("looking for text files", -1);
    for (const fs::directory_entry& entry : entries) {
      if (entry.path().filename().native().starts_with('.')) continue;
      if (entry.is_directory(error) && !entry.is_symlink(error)) {
        walk(entry.path().native(), wanted, paths);
      } else if (entry.is_regular_file(error) && wanted(entry.path())) {
        paths.push_back(entry.path().native());
      }
    }
  }

  FoundFiles& found_;
  const Task& task_;
  std::size_t folders_ = 0;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

bool has_glob_characters(const std::string& text) { return text.find_first_of("*?[{") != std::string::npos; }

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t matches{};
  const int status = ::glob(pattern.c_str(), GLOB_BRACE | GLOB_ERR, nullptr, &matches);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&matches, [](glob_t* which) { ::globfree(which); });
  if (status == GLOB_NOMATCH) {
    throw refused("nothing matches " + quoted(pattern) + "; check the pattern, or name a file or a folder");
  }
  if (status != 0) {
    throw refused("cannot look for " + quoted(pattern) +
                  ": a folder on the way cannot be read; check its permissions");
  }
  std::vector<std::string> paths(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The last part of a path, whatever slashes end it: what a recording may say about where text came from.
std::string last_part(const std::string& source) {
  const std::string cleaned = fs::path(source).lexically_normal().native();
  const std::size_t end = cleaned.find_last_not_of('/');
  if (end == std::string::npos) return "folder";
  const std::string name = fs::path(cleaned.substr(0, end + 1)).filename().native();
  return name == "." || name == ".." ? "folder" : printable(name);
}

}  // namespace

FoundFiles find_files(const std::vector<std::string>& sources, const std::vector<std::string>& named,
                      const Task& task) {
  FoundFiles found;
  Collector collector(found, task);
  for (const std::string& source : sources) {
    struct stat status {};
    if (::stat(source.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) {
        collector.add_folder(source, [](const fs::path&) { return true; });
      } else {
        collector.add_named(source);
      }
    } else if (errno != ENOENT && errno != ENOTDIR) {
      throw refused("cannot read " + quoted(source) + ": " + reason_of(errno) +
                    "; check the path and its permissions");
    } else if (has_glob_characters(source)) {
      for (const std::string& path : matches_of(source)) collector.add_match(path);
    } else if (is_one_of(named, source)) {
      throw refused("the named corpus " + quoted(source) +
                    " cannot be mixed with other text; give it alone, or files and folders only");
    } else if (source.find_first_of("/.") == std::string::npos) {
      throw refused("there is no corpus " + quoted(source) +
                    ": it is no file and no folder here, and the named corpora are: " + joined(named));
    } else {
      throw refused("there is no file or folder " + quoted(source) + "; check the path");
    }
    found.source += (found.source.empty() ? "" : ", ") + last_part(source);
  }
  return found;
}

FoundFiles find_named(const NamedCorpus& named, const Task& task) {
  FoundFiles found;
  std::error_code error;
  if (fs::is_directory(named.folder, error)) {
    Collector(found, task).add_folder(named.folder, [&named](const fs::path& path) {
      return std::find(named.extensions.begin(), named.extensions.end(), path.extension().native()) !=
             named.extensions.end();
    });
  }
  if (found.files.empty()) {
    throw refused("the corpus " + quoted(named.name) + " finds no files under " + named.folder +
                  " on this machine; give text of your own with --corpus");
  }
  found.source = named.name;
  return found;
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw refused("cannot read " + quoted(path) + ": " + reason_of(errno) +
                  "; check its permissions or leave it out");
  }
  std::string text;
  ssize_t got = 1;
  while (text.size() < limit && got > 0) {
    const std::size_t before = text.size();
    text.resize(before + std::min<std::uint64_t>(limit - before, 1 << 16));
    do {
      got = ::read(descriptor, text.data() + before, text.size() - before);
    } while (got < 0 && errno == EINTR);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  const int error = errno;
  ::close(descriptor);
  if (got < 0)
    throw refused("cannot read " + quoted(path) + ": " + reason_of(error) +
                  "; check the disk or leave it out");
  return text;
}

std::string binary_reason(std::string_view text) {
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return "it holds a NUL byte at offset " + std::to_string(nul) +
           " (text in UTF-16 must be converted to UTF-8)";
  }
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_layout = (byte >= '\b' && byte <= '\r') || byte == 0x1b;  // \b \t \n \v \f \r and escape
    return (byte < 0x20 && !is_layout) || byte == 0x7f;
  };
  const auto controls = std::count_if(text.begin(), text.end(), is_control);
  if (static_cast<double>(controls) > kMostControlShare * static_cast<double>(text.size())) {
    return std::to_string(controls) + " of its first " + std::to_string(text.size()) +
           " bytes are control characters";
  }
  return {};
}

}  // namespace sparsescope::data
