// What apt-get and dpkg-deb answer, as one sentence each.
#include "engine/data/debian_package.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/data/program.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherWay =
    "or bring the corpus from another machine (there: sparsescope-cli corpus prepare NAME -o FILE; here: "
    "--corpus FILE)";

bool mentions(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&text](const char* word) { return text.find(word) != std::string::npos; });
}

// The last line that a program ended with, without its marks.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return "it gave no reason";
  const std::size_t begin = text.rfind('\n', end);
  std::string line = text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin + 1) + 1);
  for (const char* mark : {"E: ", "dpkg-deb: error: ", "tar: "}) {
    if (line.starts_with(mark)) line.erase(0, std::string_view(mark).size());
  }
  return line;
}

// Percent of "dlstatus:1:34.5:Retrieving file 1 of 1", or a negative number.
double percent_of(std::string_view line) {
  if (!line.starts_with("dlstatus:")) return -1;
  const std::size_t begin = line.find(':', 9);
  return begin == std::string_view::npos ? -1
                                         : std::strtod(std::string(line.substr(begin + 1)).c_str(), nullptr);
}

[[noreturn]] void refuse_download(const std::string& package, const ProgramResult& result) {
  const std::string& said = result.errors;
  if (mentions(said, {"No space left", "ENOSPC", "don't have enough free space", "Quota exceeded"}))
    throw Error(
        fmt::format("the disk is full while the Debian package {} is fetched; free some space, or set "
                    "SPARSESCOPE_CACHE to a roomier folder",
                    package));
  if (mentions(said, {"Unable to locate package", "No candidate version", "Can't find a source",
                      "has no installation candidate"}))
    throw Error(
        fmt::format("the Debian package {} is not in the package lists of this machine; run apt-get "
                    "update as root, {}",
                    package, kOtherWay));
  if (mentions(said, {"Could not resolve", "Temporary failure", "Could not connect", "Connection failed",
                      "Cannot initiate the connection", "Unable to connect", "Connection timed out",
                      "Network is unreachable"}))
    throw Error(
        fmt::format("the Debian package {} cannot be fetched: the package server is not reached; "
                    "check the network, {}",
                    package, kOtherWay));
  if (mentions(said, {"404", "Hash Sum mismatch", "File not found", "Failed to stat"}))
    throw Error(
        fmt::format("the package server no longer has the Debian package {} that this machine's "
                    "lists name; run apt-get update as root, {}",
                    package, kOtherWay));
  throw Error(fmt::format("the Debian package {} cannot be fetched: {}; check apt-get download {}, {}",
                          package, last_line(said), package, kOtherWay));
}

[[noreturn]] void refuse_unpacking(const std::string& package, const ProgramResult& result) {
  if (mentions(result.errors, {"No space left", "Quota exceeded"}))
    throw Error(
        fmt::format("the disk is full while the Debian package {} is unpacked; free some space, or "
                    "set SPARSESCOPE_CACHE to a roomier folder",
                    package));
  throw Error(fmt::format("the Debian package {} cannot be unpacked: {}; try again, {}", package,
                          last_line(result.errors), kOtherWay));
}

// The one .deb that apt-get left in `folder`.
std::string downloaded_file(const std::string& folder, const std::string& package) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".deb") return entry.path().native();
  }
  throw Error(
      fmt::format("apt-get download {} left no package behind; try it by hand, {}", package, kOtherWay));
}

}  // namespace

PassingFolder::PassingFolder(const std::string& base) {
  std::error_code error;
  fs::create_directories(base, error);
  path_ = base + "/.build-XXXXXX";
  if (error || ::mkdtemp(path_.data()) == nullptr)
    throw Error(
        fmt::format("no folder can be made in {}; free some space, or set SPARSESCOPE_CACHE to a folder "
                    "that can be written",
                    base));
}

PassingFolder::~PassingFolder() {
  std::error_code error;
  fs::remove_all(path_, error);  // what stays is removed by the next one that builds
}

UnpackedPackage fetch_package(const std::string& package, const std::string& folder, const Task& task) {
  const std::string words = "fetching " + package;
  const auto show = [&](double fraction) {
    if (task.progress) task.progress(words, fraction);
  };
  show(0);
  const ProgramResult download =
      run_program({.arguments = {"apt-get", "-q", "-o", "APT::Status-Fd=1", "download", package},
                   .folder = folder,
                   .on_line =
                       [&](std::string_view line) {
                         if (percent_of(line) >= 0) show(0.009 * percent_of(line));
                       }},
                  task);
  if (download.exit_code != 0) refuse_download(package, download);

  const std::string archive = downloaded_file(folder, package);
  const ProgramResult version = run_program({.arguments = {"dpkg-deb", "-f", archive, "Version"}}, task);
  if (version.exit_code != 0) refuse_unpacking(package, version);
  UnpackedPackage unpacked;
  unpacked.version = version.output.substr(0, version.output.find('\n'));
  unpacked.folder = folder + "/unpacked";
  const ProgramResult unpacking =
      run_program({.arguments = {"dpkg-deb", "-x", archive, unpacked.folder}}, task);
  if (unpacking.exit_code != 0) refuse_unpacking(package, unpacking);
  std::error_code error;
  fs::remove(archive, error);
  show(1);
  return unpacked;
}

std::vector<std::string> matching_files(const std::string& folder, const std::vector<std::string>& globs,
                                        const std::vector<std::string>& without) {
  const auto matches = [](const std::vector<std::string>& patterns, const std::string& path) {
    return std::any_of(patterns.begin(), patterns.end(), [&path](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
    });
  };
  std::vector<std::string> paths;
  std::error_code error;
  // The iterator does not enter links to folders; links to files are left out here.
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_symlink() || !it->is_regular_file()) continue;
    const std::string path = it->path().native().substr(folder.size() + 1);
    if (matches(globs, path) && !matches(without, path)) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace sparsescope::data
