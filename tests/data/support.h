// What the tests of engine/data share: a folder of files that goes away, made-up text, and refusals by
// another user.
#pragma once

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/data/random.h"
#include "engine/trace/error.h"

namespace sparsescope::data {

// A test with a folder of its own, which also holds its cache.
class DataFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "sparsescope-data-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    ::setenv("SPARSESCOPE_CACHE", cache().c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("SPARSESCOPE_CACHE");
    std::filesystem::remove_all(folder_);
  }

  std::string cache() const { return folder_ + "-cache"; }
  // Writes `text` into the folder, making folders on the way; answers the path.
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(folder_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string folder_;
};

// `words` words of a small language with a few hundred of them, some of them not ASCII.
inline std::string made_up_text(std::uint64_t seed, std::size_t words) {
  static const char* const kSyllables[] = {"ba",   "ke", "li", "mo", "nu", "ra", "st",
                                           "tion", "é",  "ße", "_x", "42", "();"};
  Random random(seed);
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) text += random.below(12) == 0 ? "\n" : " ";
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      text += kSyllables[random.below(std::size(kSyllables))];
  }
  return text;
}

inline std::string random_bytes(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(random.below(256));
  return bytes;
}

// The sentence that `action` is refused with; fails the test when nothing is refused.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

// The same, asked by a user whom mode bits bind: in a child that becomes "nobody" where the tests run as
// root.
template <typename Action>
std::string refusal_for_nobody(Action action) {
  if (::geteuid() != 0) return refusal(action);
  constexpr unsigned kNobody = 65534;
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said = "nothing was refused";
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
      said = "cannot become nobody";
    try {
      if (said == "nothing was refused") action();
    } catch (const std::exception& error) {
      said = error.what();
    }
    const ssize_t written = ::write(ends[1], said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  char part[256];
  for (ssize_t got = 0; (got = ::read(ends[0], part, sizeof part)) > 0;)
    said.append(part, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "the child of the test failed";
  return said;
}

}  // namespace sparsescope::data
