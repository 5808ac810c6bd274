// The manifest of an experiment folder: what is written comes back, and what no program wrote is refused.
#include "engine/experiments/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

class ManifestFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("sparsescope-manifest-") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder() const { return folder_.string(); }
  void write(const std::string& text) const { std::ofstream(folder_ / kManifestFile) << text; }
  std::string read() const {
    std::ifstream file(folder_ / kManifestFile);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // Saved, changed by hand and read again: the sentence.
  std::string refusal(const std::string& from, const std::string& to) const {
    save_manifest(folder(), example());
    std::string text = read();
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write(text.replace(at, from.size(), to));
    try {
      load_manifest(folder());
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }
  static Manifest example() {
    Manifest manifest;
    manifest.name = "pair", manifest.title = "A pair", manifest.created_utc = "2026-01-02T03:04:05Z";
    manifest.corpus = {"../text.txt"};
    manifest.commands = {{"2026-01-02T03:04:05Z", "train --experiment pair"}};
    manifest.seeds = {1, 2};
    manifest.arms = {{"a", R"({"train":{"steps":5}})", R"({"corpus":{"sha256":"ab"}})"}, {"b", "{}", ""}};
    manifest.runs = {
        {.arm = "a",
         .seed = 1,
         .state = RunState::Finished,
         .steps = 5,
         .seconds = 1.5,
         .device = "CPU, 1 thread",
         .version = "1",
         .commit = "abc"},
        {.arm = "b", .seed = 1, .state = RunState::Failed, .message = "out of memory"},
        {.arm = "a", .seed = 2, .state = RunState::Stopped, .steps = 3, .resumed_at = 2, .earlier_parts = 1},
        {.arm = "b", .seed = 2}};
    return manifest;
  }
  std::filesystem::path folder_;
};

TEST_F(ManifestFolder, WhatIsSavedComesBack) {
  const Manifest manifest = example();
  EXPECT_FALSE(has_manifest(folder()));
  save_manifest(folder(), manifest);
  EXPECT_TRUE(has_manifest(folder()));
  const Manifest back = load_manifest(folder());
  EXPECT_EQ(to_json(back), to_json(manifest));
  EXPECT_EQ(back.runs[2].state, RunState::Stopped);
  EXPECT_EQ(back.runs[2].earlier_parts, 1);
  EXPECT_EQ(back.arm("a").experiment_json, R"({"train":{"steps":5}})");
  EXPECT_EQ(back.arm("b").text_json, "");
  EXPECT_EQ(back.count(RunState::Finished), 1u);
  EXPECT_EQ(back.runs[2].recording_part(1), "a-seed-2.part-1.h5");
  EXPECT_EQ(finished_recordings(folder()), std::vector<std::string>{(folder_ / "a-seed-1.h5").string()});
}

TEST_F(ManifestFolder, AFolderWithoutOneIsNoExperiment) {
  try {
    finished_recordings(folder());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Refused);
    EXPECT_EQ(error.what(), folder() + " is a folder and no experiment: there is no manifest.json in it");
  }
}

TEST_F(ManifestFolder, ThatSaysTheImpossibleIsRefusedInWords) {
  EXPECT_NE(refusal("\"state\": \"failed\"", "\"state\": \"lost\"").find("knows a state 'lost'"),
            std::string::npos);
  EXPECT_NE(refusal("\"name\": \"b\"", "\"name\": \"../../b\"").find("which no file may be"),
            std::string::npos);
  EXPECT_NE(refusal("\"name\": \"b\"", "\"name\": \"c\"").find("belongs to no arm"), std::string::npos);
  EXPECT_NE(refusal("\"version\": [\n  1", "\"version\": [\n  2").find("later program"), std::string::npos);
  EXPECT_NE(refusal("\"seeds\"", "\"seed\"").find("is missing in it"), std::string::npos);
}

TEST_F(ManifestFolder, CutShortAtAnyByteIsRefusedAndNeverCrashes) {
  save_manifest(folder(), example());
  const std::string whole = read();
  for (std::size_t bytes = 0; bytes + 2 < whole.size(); bytes += 7) {
    write(whole.substr(0, bytes));
    EXPECT_THROW(load_manifest(folder()), Error) << bytes;
  }
}

}  // namespace
}  // namespace sparsescope::experiments
