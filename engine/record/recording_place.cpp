#include "engine/record/recording_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "engine/record/free_space.h"
#include "engine/trace/error.h"

namespace sparsescope::record {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) { return fs::absolute(path).parent_path().string(); }

// `name` in `folder`, with a number when it is taken: a recording is never overwritten.
std::string free_name(const std::string& folder, const fs::path& name) {
  for (int number = 1;; ++number) {
    std::string own = name.stem().string();
    if (number > 1) own.append("-").append(std::to_string(number));
    const fs::path path = fs::path(folder) / own.append(name.extension().string());
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return path.string();
  }
}

[[noreturn]] void fail(const std::string& what) { throw Error(what + ": " + std::strerror(errno)); }

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (number_ < 0) fail("open");
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

void copy_and_sync(const std::string& from, const std::string& to) {
  const Descriptor source(from, O_RDONLY), target(to, O_WRONLY | O_CREAT | O_EXCL);
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t count = ::read(source.number(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read");
    if (count == 0) break;
    for (ssize_t done = 0; done < count;) {
      const ssize_t written =
          ::write(target.number(), buffer.data() + done, static_cast<std::size_t>(count - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write");
      done += written;
    }
  }
  if (::fsync(target.number()) != 0) fail("fsync");
}

// A file system that cannot is no reason to fail.
void sync_folder_of(const std::string& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

void name_without_replacing(const std::string& part, const std::string& asked) {
  if (::link(part.c_str(), asked.c_str()) == 0) {
    ::unlink(part.c_str());
    return sync_folder_of(asked);
  }
  const bool knows_no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK;
  struct stat info {};
  if (!knows_no_links) fail("name");
  if (::lstat(asked.c_str(), &info) == 0) {
    errno = EEXIST;
    fail("name");
  }
  if (::rename(part.c_str(), asked.c_str()) != 0) fail("rename");
  sync_folder_of(asked);
}

std::string RecordingPlace::words() const {
  if (!is_apart()) return "";
  return "recording into " + written + ", because " + folder_of(asked) +
         " lies on a network file system, which may reorder writes; the closed file is moved to where it was "
         "asked for";
}

RecordingPlace choose_place(const std::string& asked, const std::string& local_folder,
                            std::uint64_t free_bytes, const NetworkProbe& is_on_network) {
  const auto probe = [&](const std::string& folder) {
    return is_on_network ? is_on_network(folder) : lies_on_network(folder);
  };
  if (!probe(folder_of(asked))) {
    check_can_record(asked, free_bytes);
    return {asked, asked};
  }
  check_can_record(asked, 0);
  if (local_folder.empty() || probe(local_folder)) {
    throw Error("cannot record into '" + asked +
                    "': its folder lies on a network file system, which may reorder writes, and there is no "
                    "local folder to record into meanwhile; record on a local disk and move the closed file",
                ExitCode::Refused);
  }
  const RecordingPlace place{free_name(local_folder, fs::path(asked).filename()), asked};
  check_can_record(place.written, free_bytes);
  return place;
}

MoveResult move_to_asked(const RecordingPlace& place) {
  const std::string part = place.asked + ".part";
  bool is_part_ours = false;
  try {
    struct stat info {};
    if (::lstat(part.c_str(), &info) == 0) {
      errno = EEXIST;
      fail(part);
    }
    is_part_ours = true;
    copy_and_sync(place.written, part);
    name_without_replacing(part, place.asked);
  } catch (const Error& error) {
    if (is_part_ours) ::unlink(part.c_str());
    return {place.written, "the recording could not be moved to " + place.asked + " (" + error.what() +
                               "); it is whole and stays at " + place.written};
  }
  ::unlink(place.written.c_str());
  return {place.asked, "the recording was moved to " + place.asked};
}

}  // namespace sparsescope::record
