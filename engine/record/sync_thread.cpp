// fdatasync each second.
#include "engine/record/sync_thread.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "engine/trace/error.h"

namespace sparsescope::record {
namespace {

constexpr std::chrono::seconds kPeriod{1};

[[noreturn]] void fail(const std::string& what, int system_error) {
  throw Error(what + " failed: " + std::strerror(system_error));
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::absolute(path).parent_path();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("opening the folder", errno);
  const int status = ::fsync(descriptor), reason = errno;
  ::close(descriptor);
  // Some file systems do not sync folders and say so; there is nothing to wait for then.
  if (status != 0 && reason != EINVAL && reason != ENOTSUP) fail("syncing the folder", reason);
}

}  // namespace

SyncThread::SyncThread(const std::string& path) : path_(path) {
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) fail("opening the new file", errno);
  try {
    if (::fsync(file_) != 0) fail("syncing the new file", errno);
    sync_folder_of(path_);
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::close(file_);
    throw;
  }
}

SyncThread::~SyncThread() {
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  ::close(file_);
}

void SyncThread::committed() {
  std::scoped_lock lock(mutex_);
  has_unsynced_ = true;
  if (system_error_ != 0) fail("syncing the recording to the disk", system_error_);
}

void SyncThread::finish() {
  if (::fsync(file_) != 0) fail("syncing the recording to the disk", errno);
  sync_folder_of(path_);
}

void SyncThread::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kPeriod, [&] { return stopping_; })) {
    if (!std::exchange(has_unsynced_, false)) continue;
    lock.unlock();
    const int reason = ::fdatasync(file_) == 0 ? 0 : errno;
    lock.lock();
    if (system_error_ == 0) system_error_ = reason;
  }
}

}  // namespace sparsescope::record
