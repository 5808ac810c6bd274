#include "engine/trace/write_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/trace/error.h"

namespace sparsescope::trace {
namespace {

namespace fs = std::filesystem;

class WriteFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("write_file_" + std::to_string(::getpid()) +
                                              testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  int entries() const {
    return static_cast<int>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(WriteFile, ReplacesWhatWasThere) {
  write_file(path("a"), "old");
  write_file(path("a"), std::string_view("new\0whole", 9));
  EXPECT_EQ(content(path("a")), std::string("new\0whole", 9));
  EXPECT_EQ(entries(), 1);
}

TEST_F(WriteFile, SaysWhereAFileCannotBe) {
  try {
    write_file(path("no/folder/a"), "x");
    FAIL() << "wrote into a folder that does not exist";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no/folder/a"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
  }
}

// A limit on file size stands in for a full disk: write() fails half way.
TEST_F(WriteFile, KeepsTheOldFileWhenTheDiskIsFull) {
  write_file(path("a"), "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_file(path("a"), std::string(5000, 'x')), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(entries(), 1);
}

}  // namespace
}  // namespace sparsescope::trace
