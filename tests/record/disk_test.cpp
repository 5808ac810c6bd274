// Disks and folders that do not want a recording: refused before it begins, or stopped with a number and
// nothing lost that was committed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/record/record_support.h"

namespace sparsescope {
namespace {

using testing::TempFolder;
using testing::writer_options;
using trace::SyntheticOptions;
using trace::SyntheticSource;

std::string constructor_refusal(const record::WriterOptions& options) {
  try {
    const record::RecordingWriter writer(options);
  } catch (const Error& error) {
    return error.code() == ExitCode::Refused ? error.what() : "not Refused: " + std::string(error.what());
  }
  return "";
}

SyntheticSource big(std::uint64_t frames) {
  return SyntheticSource({SyntheticOptions::Kind::EveryDtype, frames, 31});
}

// Sends the whole run although the recorder fails on the way, as a trainer does.
record::WriterStats record_through_failure(const SyntheticSource& source,
                                           const record::WriterOptions& options) {
  const record::WriterStats stats = testing::record_run(source, options);
  EXPECT_EQ(stats.frames_received, source.frames()) << "training goes on";
  EXPECT_TRUE(stats.is_closed);
  return stats;
}

void expect_stopped(const record::WriterStats& stats, const std::string& reason) {
  EXPECT_EQ(stats.failure.find("recording stopped at step "), 0u) << stats.failure;
  EXPECT_NE(stats.failure.find(reason), std::string::npos) << stats.failure;
  EXPECT_NE(stats.failure.find(std::to_string(stats.frames_lost) + " frames lost"), std::string::npos)
      << stats.failure;
  EXPECT_GT(stats.frames_committed, 0u);
  EXPECT_EQ(stats.frames_lost, stats.frames_received - stats.frames_committed);
  EXPECT_GT(stats.frames_lost, 0u);
}

// The index names a frame only when all of the frame is there, so a commit that failed half-way leaves no
// trace.
void expect_exactly(const std::string& path, const SyntheticSource& source, std::uint64_t frames) {
  EXPECT_EQ(testing::difference(path, source, frames), "");
  testing::Collector collector;
  const auto client = record::open_recording(path, collector);
  collector.wait_end();
  EXPECT_EQ(collector.frames.size(), frames) << collector.end.message;
  // Space that was set aside for the failed write may be missing at the end; that is no damage to a frame.
  EXPECT_EQ(collector.end.message.find("damaged"), std::string::npos) << collector.end.message;
}

TEST(Disk, AnExistingPathIsNeverOverwritten) {
  const TempFolder folder;
  std::ofstream(folder.file("run.h5")) << "precious";
  EXPECT_NE(constructor_refusal(writer_options(folder.file("run.h5"))).find("exists already"),
            std::string::npos);
  std::filesystem::create_symlink("nowhere", folder.file("link.h5"));
  EXPECT_NE(constructor_refusal(writer_options(folder.file("link.h5"))).find("exists already"),
            std::string::npos);
  // The name is taken between the two calls.
  record::RecordingWriter writer(writer_options(folder.file("late.h5")));
  std::ofstream(folder.file("late.h5")) << "precious";
  EXPECT_THROW(writer.on_schema(big(1).schema()), Error);
  for (const char* name : {"run.h5", "late.h5"}) {
    std::string content;
    std::ifstream(folder.file(name)) >> content;
    EXPECT_EQ(content, "precious");
  }
}

TEST(Disk, AMissingFolderIsRefusedAtOnce) {
  const TempFolder folder;
  EXPECT_NE(constructor_refusal(writer_options(folder.file("none/run.h5"))).find("folder does not exist"),
            std::string::npos);
}

TEST(Disk, TooLittleSpaceIsRefusedAtOnce) {
  const TempFolder folder;
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.free_bytes_at_start = ~0ull >> 1;
  const std::string refusal = constructor_refusal(options);
  EXPECT_NE(refusal.find("are free there"), std::string::npos) << refusal;
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

// A folder on a network: recorded elsewhere, then moved.
record::WriterOptions networked(const TempFolder& folder, const TempFolder& local) {
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.local_folder = local.path();
  options.is_on_network = [network = folder.path().string()](const std::string& path) {
    return path == network;
  };
  return options;
}

TEST(NetworkFolder, TheRunIsRecordedLocallyAndTheClosedFileMovedToWhereItWasAsked) {
  const TempFolder folder, local;
  const SyntheticSource source = big(20);
  record::RecordingWriter writer(networked(folder, local));
  writer.on_schema(source.schema());
  const record::WriterStats before = writer.stats();
  EXPECT_EQ(before.path, local.file("run.h5"));
  EXPECT_NE(before.note.find("network file system"), std::string::npos) << before.note;
  EXPECT_NE(before.note.find(local.file("run.h5")), std::string::npos) << before.note;
  EXPECT_TRUE(std::filesystem::exists(local.file("run.h5")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("run.h5")));
  for (std::uint64_t row = 0; row < source.frames(); ++row) writer.on_frame(source.frame(row));
  writer.on_end({trace::RunStatus::Finished, ""});
  const record::WriterStats after = writer.wait_closed();
  EXPECT_EQ(after.path, folder.file("run.h5"));
  EXPECT_EQ(after.note, "the recording was moved to " + folder.file("run.h5"));
  EXPECT_EQ(after.failure, "");
  EXPECT_FALSE(std::filesystem::exists(local.file("run.h5")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("run.h5.part")));
  // Rows are still read back, now from there.
  const auto rows = testing::read_rows(writer, 3, 3, testing::all_channels(*source.schema()));
  ASSERT_EQ(rows.rows.size(), 1u);
  EXPECT_TRUE(testing::same_frame(*rows.rows[0], *source.frame(3)));
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(NetworkFolder, WhenTheMoveFailsTheLocalFileIsWholeAndItsPathIsSaid) {
  const TempFolder folder, local;
  const SyntheticSource source = big(20);
  record::WriterOptions options = networked(folder, local);
  // The name is taken while the run goes on.
  options.on_commit = [&](const record::WriterStats&) { std::ofstream(folder.file("run.h5")) << "precious"; };
  const record::WriterStats stats = testing::record_run(source, options);
  EXPECT_EQ(stats.path, local.file("run.h5"));
  EXPECT_NE(stats.note.find("could not be moved"), std::string::npos) << stats.note;
  EXPECT_NE(stats.note.find("stays at " + local.file("run.h5")), std::string::npos) << stats.note;
  EXPECT_EQ(testing::difference(local.file("run.h5"), source, source.frames()), "");
  std::string content;
  std::ifstream(folder.file("run.h5")) >> content;
  EXPECT_EQ(content, "precious");
  EXPECT_FALSE(std::filesystem::exists(folder.file("run.h5.part")));
}

TEST(NetworkFolder, AFolderThatVanishedLosesNothing) {
  const TempFolder folder, local;
  std::filesystem::create_directory(folder.file("mount"));
  record::WriterOptions options = networked(folder, local);
  options.path = folder.file("mount/run.h5");
  options.is_on_network = [&](const std::string& path) { return path == folder.file("mount"); };
  options.on_commit = [&](const record::WriterStats&) { std::filesystem::remove(folder.file("mount")); };
  const SyntheticSource source = big(20);
  const record::WriterStats stats = testing::record_run(source, options);
  EXPECT_EQ(stats.path, local.file("run.h5"));
  EXPECT_EQ(testing::difference(local.file("run.h5"), source, source.frames()), "");
}

TEST(NetworkFolder, ALocalNameThatIsTakenGetsANumberAndNoLocalFolderIsARefusal) {
  const TempFolder folder, local;
  std::ofstream(local.file("run.h5")) << "precious";
  record::WriterOptions options = networked(folder, local);
  {
    const record::RecordingWriter writer(options);
    EXPECT_EQ(writer.stats().path, local.file("run-2.h5"));
  }
  options.local_folder.clear();
  EXPECT_NE(constructor_refusal(options).find("network file system"), std::string::npos);
  options.local_folder = folder.path();
  EXPECT_NE(constructor_refusal(options).find("no local folder"), std::string::npos);
  options = networked(folder, local);
  options.path = folder.file("none/run.h5");
  EXPECT_NE(constructor_refusal(options).find("folder does not exist"), std::string::npos);
}

// Runs `body` in a child process; what it returns is read through a pipe. The child leaves without any
// clean-up.
template <typename Body>
std::string in_child(Body body) {
  int ends[2];
  check(::pipe(ends) == 0, "a pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string words = body();
    const ssize_t written = ::write(ends[1], words.data(), words.size());
    ::_exit(written == static_cast<ssize_t>(words.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string words;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    words.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? words : "the child died";
}

TEST(Disk, AReadOnlyFolderIsRefusedAtOnce) {
  const TempFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), ::geteuid() == 0 ? 0755 : 0555), 0);
  const std::string refusal = in_child([&]() -> std::string {
    // Mode bits mean nothing to root: become an ordinary user whose folder this is not.
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
      return "cannot become another user";
    return constructor_refusal(writer_options(folder.file("run.h5")));
  });
  ::chmod(folder.path().c_str(), 0755);
  EXPECT_NE(refusal.find("cannot be written (Permission denied)"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find(folder.file("run.h5")), std::string::npos) << refusal;
}

TEST(Disk, RecordingStopsBeforeTheDiskIsFullAndClosesTheFile) {
  const TempFolder folder;
  const SyntheticSource source = big(60);
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_bytes = 1 << 20;
  int commits = 0;
  // From the fourth commit on the disk counts as nearly full.
  options.free_bytes_while_running = 1;
  options.free_bytes = [&commits](const std::string&) -> std::uint64_t { return commits < 4 ? ~0ull : 0; };
  options.on_commit = [&commits](const record::WriterStats&) { ++commits; };
  const record::WriterStats stats = record_through_failure(source, options);
  expect_stopped(stats, "free on the disk");
  EXPECT_EQ(record::file_state(options.path), record::FileState::Closed);
  EXPECT_EQ(testing::difference(options.path, source, stats.frames_committed), "");
}

// Writes beyond a size fail as on a full disk, half a chunk written. Needs no privilege.
TEST(Disk, AWriteThatFailsInMidRunLosesNothingCommitted) {
  const TempFolder folder;
  const std::string outcome = in_child([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {3'000'000, 3'000'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return "no limit";
    const SyntheticSource source = big(120);
    record::WriterOptions options = writer_options(folder.file("run.h5"));
    options.commit_bytes = 300'000;
    record::RecordingWriter writer(options);
    source.run(writer);
    const record::WriterStats stats = writer.wait_closed();
    // The same process goes on: it reads rows back and records into another file.
    const testing::Answers answers = testing::read_rows(writer, 0, 0, {0});
    const SyntheticSource small = big(5);
    const record::WriterStats again = testing::record_run(small, writer_options(folder.file("second.h5")));
    return std::to_string(stats.frames_committed) + "|" + std::to_string(stats.frames_lost) + "|" +
           std::to_string(stats.frames_received) + "|" + std::to_string(again.frames_committed) +
           again.failure + "|" + std::to_string(static_cast<int>(answers.last.kind)) + "|" + stats.failure +
           "; " + answers.last.message;
  });
  unsigned long committed = 0, lost = 0, received = 0, again = 0;
  int kind = -1, failure_at = 0;
  ASSERT_EQ(std::sscanf(outcome.c_str(), "%lu|%lu|%lu|%lu|%d|%n", &committed, &lost, &received, &again, &kind,
                        &failure_at),
            5)
      << outcome;
  const std::string failure = outcome.substr(static_cast<std::size_t>(failure_at));
  EXPECT_EQ(failure.find("recording stopped at step "), 0u) << failure;
  EXPECT_NE(failure.find("File too large"), std::string::npos) << failure;
  EXPECT_GT(committed, 0u);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(received, 120u);
  EXPECT_EQ(committed + lost, received);
  EXPECT_EQ(kind, static_cast<int>(trace::ReadAnswer::Kind::Done)) << "reading back after the failure";
  EXPECT_EQ(again, 5u) << "a second recording in the same process";
  expect_exactly(folder.file("run.h5"), big(120), committed);
  expect_exactly(folder.file("second.h5"), big(5), 5);
}

class SmallDisk {
 public:
  SmallDisk(const std::string& path, const char* options) : path_(path) {
    std::filesystem::create_directory(path);
    is_mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool is_mounted() const { return is_mounted_; }

 private:
  std::string path_;
  bool is_mounted_ = false;
};

TEST(Disk, AFullDiskStopsTheRecordingAndNotTheRun) {
  const TempFolder folder;
  const SmallDisk disk(folder.file("disk"), "size=3m");
  if (!disk.is_mounted())
    GTEST_SKIP() << "mounting a small file system needs more rights than this process has";
  const SyntheticSource source = big(150);
  record::WriterOptions options = writer_options(folder.file("disk/run.h5"));
  options.commit_bytes = 300'000;
  const record::WriterStats stats = record_through_failure(source, options);
  expect_stopped(stats, "disk full");
  expect_exactly(options.path, source, stats.frames_committed);
}

TEST(Disk, ADiskThatIsFullFromTheStartRefusesTheRecordingAndKeepsNoStub) {
  const TempFolder folder;
  const SmallDisk disk(folder.file("disk"), "size=64k");
  if (!disk.is_mounted())
    GTEST_SKIP() << "mounting a small file system needs more rights than this process has";
  record::WriterOptions options = writer_options(folder.file("disk/run.h5"));
  record::RecordingWriter writer(options);
  std::string sentence;
  try {
    writer.on_schema(big(1).schema());
  } catch (const Error& error) {
    sentence = error.what();
  }
  EXPECT_NE(sentence.find("disk full"), std::string::npos) << sentence;
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

TEST(Disk, AFileThatIsTakenAwayInMidRunStopsTheRecordingAndIsNotTouched) {
  for (const bool is_deleted : {true, false}) {
    const TempFolder folder;
    const SyntheticSource source = big(20);
    record::WriterOptions options = writer_options(folder.file("run.h5"));
    options.commit_nanos = 1;
    record::RecordingWriter writer(options);
    writer.on_schema(source.schema());
    for (std::uint64_t row = 0; row < 10; ++row) writer.on_frame(source.frame(row));
    while (writer.stats().frames_committed < 10) std::this_thread::yield();
    if (is_deleted) {
      std::filesystem::remove(options.path);
    } else {
      std::ofstream(options.path, std::ios::trunc) << "mine now";
    }
    for (std::uint64_t row = 10; row < 20; ++row) writer.on_frame(source.frame(row));
    writer.on_end({trace::RunStatus::Finished, ""});
    const record::WriterStats stats = writer.wait_closed();
    expect_stopped(stats, is_deleted ? "deleted the file" : "truncated the file");
    EXPECT_EQ(stats.frames_lost, 10u);
    EXPECT_TRUE(is_deleted || std::filesystem::file_size(options.path) == 8) << "somebody else's bytes";
  }
}

}  // namespace
}  // namespace sparsescope
