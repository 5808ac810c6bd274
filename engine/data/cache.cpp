// Entries are "<magic><sha-256 of the payload><payload>", written beside their place and renamed into it.
#include "engine/data/cache.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "engine/data/sha256.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "sparsescope-cache-1\n";
constexpr std::size_t kDigestCharacters = 64;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{512} << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

Cache Cache::of_user(const std::string& kind) {
  if (const std::string folder = environment("SPARSESCOPE_CACHE"); !folder.empty())
    return Cache(folder + "/" + kind);
  if (const std::string folder = environment("XDG_CACHE_HOME"); !folder.empty())
    return Cache(folder + "/sparsescope/" + kind);
  if (const std::string folder = environment("HOME"); !folder.empty())
    return Cache(folder + "/.cache/sparsescope/" + kind);
  return Cache("");
}

std::optional<std::string> Cache::find(const std::string& name) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream file(fs::path(folder_) / name, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t header = kMagic.size() + kDigestCharacters;
  if (bytes.size() < header || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::string digest = bytes.substr(kMagic.size(), kDigestCharacters);
  bytes.erase(0, header);
  if (sha256_hex(bytes) != digest) return std::nullopt;
  return bytes;
}

std::string Cache::store(const std::string& name, const std::string& bytes) const {
  if (folder_.empty())
    return "there is no cache folder: SPARSESCOPE_CACHE, XDG_CACHE_HOME and HOME are all unset";
  static std::atomic<int> counter{0};
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return "the cache folder cannot be made: " + error.message();
  const fs::path place = fs::path(folder_) / name;
  const fs::path part =
      place.native() + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  file << kMagic << sha256_hex(bytes);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    fs::remove(part, error);
    return "the cache folder cannot be written";
  }
  fs::rename(part, place, error);
  if (error) {
    const std::string reason = error.message();
    fs::remove(part, error);
    return "the cache entry cannot be put in its place: " + reason;
  }
  remove_old_entries();
  return {};
}

void Cache::remove_old_entries() const {
  struct Entry {
    fs::file_time_type time;
    std::uintmax_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    if (entry.is_regular_file(error))
      entries.push_back({entry.last_write_time(error), entry.file_size(error), entry.path()});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.time > b.time; });
  std::uintmax_t kept = 0;
  for (const Entry& entry : entries) {
    kept += entry.bytes;
    if (kept > kMostBytes) fs::remove(entry.path, error);  // a failure leaves the entry: no harm
  }
}

}  // namespace sparsescope::data
