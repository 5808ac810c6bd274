#include "app/cli/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "engine/record/free_space.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

constexpr double kAliveSeconds = 30;

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string content_of(int file) {
  std::array<char, 512> bytes{};
  const ssize_t count = ::pread(file, bytes.data(), bytes.size(), 0);
  std::string text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  for (char& c : text) {  // a lock from elsewhere goes to a terminal
    if (c < ' ' || c > '~') c = ' ';
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// Whether `path` still names the open file: its holder removes it before it lets go.
bool is_same_file(int file, const std::string& path) {
  struct stat open {
  }, there{};
  return ::fstat(file, &open) == 0 && ::stat(path.c_str(), &there) == 0 && open.st_ino == there.st_ino &&
         open.st_dev == there.st_dev;
}

double age_seconds(int file) {
  struct stat info {};
  struct timespec now {};
  if (::fstat(file, &info) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return 0;
  return static_cast<double>(now.tv_sec - info.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec - info.st_mtim.tv_nsec);
}

}  // namespace

FolderLock::FolderLock(const std::string& folder, const record::NetworkProbe& is_on_network)
    : path_(folder + "/lock") {
  const auto refuse = [&](const std::string& why) {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    throw refused(why);
  };
  for (;;) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) refuse(fmt::format("{} cannot be made: {}", path_, std::strerror(errno)));
    // Where a file system knows no locks, what is written in the file has to do.
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      refuse(fmt::format("{} is being trained by {}; wait for it or stop that process first", folder,
                         content_of(file_)));
    if (is_same_file(file_, path_)) break;
    ::close(std::exchange(file_, -1));
  }
  const std::string before = content_of(file_), mark = " on " + host();
  const bool is_ours = before.ends_with(mark);
  if (!before.empty() && !is_ours) {
    const bool is_shared = is_on_network ? is_on_network(folder) : record::lies_on_network(folder);
    const double age = age_seconds(file_);
    if (is_shared && age < kAliveSeconds)
      refuse(
          fmt::format("{} is being trained by {}, {:.0f} s ago; stop it there, or wait {:.0f} s if it died",
                      folder, before, age, kAliveSeconds));
  }
  if (!before.empty())
    notice_ = fmt::format("the lock of {} was left behind; going on from where the folder stands", before);
  const std::string words = fmt::format("process {}{}", ::getpid(), mark);
  if (::ftruncate(file_, 0) != 0 ||
      ::pwrite(file_, words.data(), words.size(), 0) != static_cast<ssize_t>(words.size()))
    refuse(fmt::format("{} cannot be written: {}", path_, std::strerror(errno)));
}

FolderLock::~FolderLock() {
  ::unlink(path_.c_str());
  ::close(file_);
}

void FolderLock::touch() { ::futimens(file_, nullptr); }

}  // namespace sparsescope::app
