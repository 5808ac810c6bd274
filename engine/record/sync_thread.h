// Once a second, on its own thread, what was committed is made to survive a power cut. HDF5 itself never
// syncs.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace sparsescope::record {

class SyncThread {
 public:
  // Opens its own descriptor of `path` and syncs the file and its folder. Throws Error.
  explicit SyncThread(const std::string& path);
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  // A commit is finished. Throws Error when an earlier sync failed.
  void committed();
  // Waits until everything is on the disk, folder included. Throws Error.
  void finish();
  int descriptor() const { return file_; }

 private:
  void run();

  std::string path_;
  int file_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_unsynced_ = false, stopping_ = false;
  int system_error_ = 0;
  std::thread thread_;
};

}  // namespace sparsescope::record
