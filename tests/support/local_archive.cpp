#include "tests/support/local_archive.h"

#include <libdeflate.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

LocalArchive::LocalArchive(std::string folder) : folder_(std::move(folder)) {
  for (const char* part :
       {"lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "pool"})
    fs::create_directories(fs::path(folder_) / part);
  write(folder_ + "/status", "");
  write(settings(), "Dir \"" + folder_ + "\";\nDir::State \"" + folder_ + "\";\nDir::State::status \"" +
                        folder_ + "/status\";\nDir::Cache \"" + folder_ + "/cache\";\nDir::Etc \"" + folder_ +
                        "/etc\";\nDir::Etc::sourcelist \"" + folder_ +
                        "/sources.list\";\nDir::Etc::sourceparts \"-\";\nAcquire::Retries \"0\";\n");
}

void LocalArchive::add(const std::string& package, const std::string& version,
                       const std::map<std::string, std::string>& files) {
  const fs::path tree = fs::path(folder_) / "tree";
  fs::remove_all(tree);
  const std::string control =
      "Package: " + package + "\nVersion: " + version +
      "\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: for tests\n";
  write(tree / "DEBIAN/control", control);
  for (const auto& [path, bytes] : files) {
    if (path.ends_with('@')) {
      fs::create_directories((tree / path).parent_path());
      fs::create_symlink(bytes, tree / path.substr(0, path.size() - 1));
    } else {
      write(tree / path, bytes);
    }
  }
  const std::string name = "pool/" + package + "_" + version + "_all.deb";
  const std::string archive = folder_ + "/" + name;
  is_whole_ = is_whole_ &&
              run_process({"/usr/bin/dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, archive})
                      .exit_code == 0;
  std::error_code error;
  const ProcessResult digest = run_process({"/usr/bin/sha256sum", archive});
  index_ += control + "Filename: " + name + "\nSize: " + std::to_string(fs::file_size(archive, error)) +
            "\nSHA256: " + digest.output.substr(0, 64) + "\n\n";
}

bool LocalArchive::publish() {
  write(folder_ + "/Packages", index_);
  write(folder_ + "/sources.list", "deb [trusted=yes] copy:" + folder_ + " ./\n");
  return is_whole_ &&
         run_process({"/usr/bin/apt-get", "update"}, {.environment = {"APT_CONFIG=" + settings()}})
                 .exit_code == 0;
}

void LocalArchive::lose_packages() const { fs::remove_all(folder_ + "/pool"); }

void LocalArchive::lose_network() const {
  // Nobody listens on port 1. The list is called after its server.
  write(folder_ + "/sources.list", "deb [trusted=yes] http://127.0.0.1:1 ./\n");
  write(folder_ + "/lists/127.0.0.1:1_._Packages", index_);
}

std::string gzip(const std::string& text) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string bytes(libdeflate_gzip_compress_bound(compressor, text.size()), '\0');
  bytes.resize(libdeflate_gzip_compress(compressor, text.data(), text.size(), bytes.data(), bytes.size()));
  libdeflate_free_compressor(compressor);
  return bytes;
}

}  // namespace sparsescope::test
