// Room on the disk and in the folder: what is looked at before a recording begins and at each commit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace sparsescope::record {

// Throws Error (Refused) when `path` exists, its folder is missing or cannot be written, or less than
// `free_bytes` are free there.
void check_can_record(const std::string& path, std::uint64_t free_bytes);

// Whether a folder lies on NFS, SMB or CIFS: a kill-safe file needs its writes in order, and they do not
// promise that.
bool lies_on_network(const std::string& folder);

// "1.5 GiB", "64 MiB".
std::string bytes_in_words(std::uint64_t bytes);

// Stops a recording before the disk is full, not when it is.
class FreeSpaceGuard {
 public:
  // `free_bytes` of the file's folder; empty asks the system.
  FreeSpaceGuard(const std::string& path, std::uint64_t least_bytes,
                 std::function<std::uint64_t(const std::string&)> free_bytes);
  // Bytes missing below max(least, 30 s of the rate since the start); 0 when there is enough or least is 0.
  std::uint64_t missing(std::uint64_t bytes_written) const;

 private:
  std::string folder_;
  std::uint64_t least_bytes_;
  std::function<std::uint64_t(const std::string&)> free_bytes_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace sparsescope::record
