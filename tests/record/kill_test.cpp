// SIGKILL at random moments: every frame that was committed is there, bit for bit.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/record/record_support.h"

namespace sparsescope {
namespace {

using testing::TempFolder;

// The counter that the child writes and the parent reads, also after the child's death.
class SharedCount {
 public:
  explicit SharedCount(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(descriptor >= 0 && ::ftruncate(descriptor, sizeof(std::atomic<std::uint64_t>)) == 0,
          "a file to share");
    memory_ = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED,
                     descriptor, 0);
    check(memory_ != MAP_FAILED, "shared memory");
    ::close(descriptor);
  }
  ~SharedCount() { ::munmap(memory_, sizeof(std::atomic<std::uint64_t>)); }
  std::uint64_t value() const { return *static_cast<const std::atomic<std::uint64_t>*>(memory_); }

 private:
  void* memory_;
};

pid_t start_writer(const std::string& path, const std::string& count, const std::string& seed) {
  char* arguments[] = {const_cast<char*>(SPARSESCOPE_KILL_WRITER), const_cast<char*>(path.c_str()),
                       const_cast<char*>(count.c_str()), const_cast<char*>(seed.c_str()), nullptr};
  pid_t child = 0;
  check(::posix_spawn(&child, SPARSESCOPE_KILL_WRITER, nullptr, nullptr, arguments, environ) == 0, "a child");
  return child;
}

void wait_first_commit(const SharedCount& committed) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (committed.value() == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(Kill, EveryCommittedFrameSurvivesFiftyKills) {
  std::mt19937_64 random(20260101);
  std::uint64_t survived = 0;
  for (int round = 0; round < 50; ++round) {
    const TempFolder folder;
    const SharedCount committed(folder.file("count"));
    const std::string path = folder.file("run.h5");
    const pid_t child = start_writer(path, folder.file("count"), std::to_string(round));
    // From the first commit on, a random moment within the next fifth of a second.
    wait_first_commit(committed);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 200'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with status " << status;
    const std::uint64_t promised = committed.value();
    ASSERT_GT(promised, 0u);
    ASSERT_EQ(record::file_state(path), record::FileState::Unclosed);
    const trace::SyntheticSource source(
        {trace::SyntheticOptions::Kind::EveryDtype, promised, static_cast<std::uint64_t>(round)});
    ASSERT_EQ(testing::difference(path, source, promised), "") << "round " << round;
    testing::Collector collector;
    const auto client = record::open_recording(path, collector);
    collector.wait_end();
    EXPECT_EQ(collector.end.status, trace::RunStatus::Unclosed);
    EXPECT_NE(collector.end.message.find("being written, or its writer died"), std::string::npos);
    survived += promised;
  }
  RecordProperty("frames", static_cast<int>(survived));
}

TEST(Kill, ARecordingIsReadWhileAnotherProcessWritesIt) {
  const TempFolder folder;
  const SharedCount committed(folder.file("count"));
  const std::string path = folder.file("run.h5");
  const pid_t child = start_writer(path, folder.file("count"), "77");
  wait_first_commit(committed);
  for (int round = 0; round < 8; ++round) {
    const std::uint64_t promised = committed.value();
    ASSERT_GT(promised, 0u);
    const trace::SyntheticSource source({trace::SyntheticOptions::Kind::EveryDtype, promised, 77});
    EXPECT_EQ(testing::difference(path, source, promised), "") << "round " << round;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace sparsescope
