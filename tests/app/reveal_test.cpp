// Showing a file in a file manager that is not there, that fails, and that answers.
#include "app/reveal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/trace/error.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

std::string refusal(const std::string& path, const app::RevealPrograms& programs) {
  try {
    app::reveal_file(path, programs);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Reveal, TheFirstProgramThatAnswersIsGivenTheFileAndItsFolder) {
  const TemporaryFolder folder;
  const std::string path = folder / "a run é.h5", told = folder / "told";
  std::ofstream(path) << "x";
  const std::vector<std::string> writes = {"sh",       "-c",      "printf '%s\\n' \"$0\" \"$1\" > \"$2\"",
                                           "at:%file", "%folder", told};
  EXPECT_EQ(refusal(path, {{"no-such-program"}, {"false"}, writes, {"false"}}), "");
  std::ostringstream text;
  text << std::ifstream(told).rdbuf();
  EXPECT_EQ(text.str(), "at:file://" + folder.path() + "/a%20run%20%C3%A9.h5\n" + folder.path() + "\n");
}

TEST(Reveal, AFileManagerThatStaysOpenIsNeitherWaitedForNorEnded) {
  const TemporaryFolder folder;
  const std::string path = folder / "run.h5", told = folder / "told";
  std::ofstream(path) << "x";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(path, {{"sh", "-c", "sleep 2.5; echo open > \"$0\"", told}}), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2400));
  for (int i = 0; i < 500 && !std::filesystem::exists(told); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(std::filesystem::exists(told)) << "it was ended";
}

TEST(Reveal, WithoutAFileManagerTheFolderIsNamedAndAMissingFileIsSaid) {
  const TemporaryFolder folder;
  const std::string path = folder / "run.h5";
  EXPECT_NE(refusal(path, {{"true"}}).find("is not there any more"), std::string::npos);
  std::ofstream(path) << "x";
  EXPECT_EQ(refusal(path, {{"no-such-program"}, {"false"}}),
            "no file manager answers here; the file lies in " + folder.path());
}

}  // namespace
}  // namespace sparsescope::test
