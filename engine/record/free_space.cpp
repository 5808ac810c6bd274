// Free space and folders.
#include "engine/record/free_space.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>

#include "engine/trace/error.h"

namespace sparsescope::record {
namespace {

std::string folder_of(const std::string& path) { return std::filesystem::absolute(path).parent_path(); }

// What an ordinary user may still write; unlimited when the system does not say.
std::uint64_t free_bytes_at(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace

bool lies_on_network(const std::string& folder) {
  constexpr std::array kNetwork = {0x6969u, 0x517bu, 0xff534d42u, 0xfe534d42u};
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return false;
  return std::find(kNetwork.begin(), kNetwork.end(), static_cast<std::uint32_t>(info.f_type)) !=
         kNetwork.end();
}

std::string bytes_in_words(std::uint64_t bytes) {
  char words[32];
  if (bytes >= 1ull << 30) {
    std::snprintf(words, sizeof words, "%.1f GiB", static_cast<double>(bytes) / 0x1p30);
  } else {
    std::snprintf(words, sizeof words, "%.0f MiB", static_cast<double>(bytes) / 0x1p20);
  }
  return words;
}

void check_can_record(const std::string& path, std::uint64_t free_bytes) {
  const auto refuse = [&](const std::string& why) {
    throw Error("cannot record into '" + path + "': " + why, ExitCode::Refused);
  };
  const std::string folder = folder_of(path);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0)
    refuse("the file exists already and is never overwritten; choose another name");
  if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    refuse("its folder does not exist; make it or choose another one");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    refuse(std::string("its folder cannot be written (") + std::strerror(errno) +
           "); choose another one, or train without recording");
  }
  if (const std::uint64_t free = free_bytes_at(folder); free < free_bytes) {
    refuse("only " + bytes_in_words(free) + " are free there and " + bytes_in_words(free_bytes) +
           " are asked for; free some or choose another folder");
  }
}

FreeSpaceGuard::FreeSpaceGuard(const std::string& path, std::uint64_t least_bytes,
                               std::function<std::uint64_t(const std::string&)> free_bytes)
    : folder_(folder_of(path)),
      least_bytes_(least_bytes),
      free_bytes_(free_bytes ? std::move(free_bytes) : free_bytes_at) {}

std::uint64_t FreeSpaceGuard::missing(std::uint64_t bytes_written) const {
  if (least_bytes_ == 0) return 0;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  // The first seconds of a run say little about its rate; more than 1 GiB is never asked for.
  const double rate = static_cast<double>(bytes_written) / std::max(seconds, 5.0);
  const auto ahead = static_cast<std::uint64_t>(std::min(30.0 * rate, 0x1p30));
  const std::uint64_t wanted = std::max(least_bytes_, ahead), free = free_bytes_(folder_);
  return free < wanted ? wanted - free : 0;
}

}  // namespace sparsescope::record
