// Runs a program and collects what it says: what tests of whole programs need.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace sparsescope::test {

struct ProcessResult {
  int exit_code = -1;          // 128 + signal when killed by one
  std::string output, errors;  // standard output and standard error
};

enum class Rights { AsWeAre, LikeAUser };  // LikeAUser: mode bits hold, also for root

struct ProcessOptions {
  Rights rights = Rights::AsWeAre;
  std::vector<std::string> environment;  // "NAME=value" added to ours; "NAME=" removes one
  int interrupt_after_ms = 0;            // send SIGINT once, 0 = never
  int limit_seconds = 120;               // killed afterwards
};

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

// A folder that is gone after the test, whatever its mode bits became.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file of this folder and returns its path.
  std::string write(const std::string& name, const std::string& bytes) const;

 private:
  std::string path_;
};

}  // namespace sparsescope::test
