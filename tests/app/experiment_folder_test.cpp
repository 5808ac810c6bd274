// The folder of an experiment in the window: its finished runs side by side, and what cannot be opened in
// words.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "app/desktop_session.h"
#include "engine/experiments/manifest.h"
#include "engine/trace/error.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;
using experiments::Manifest, experiments::RunState;

// Three runs of one arm, two of them finished, with the demo recording for each.
void write_experiment(const std::string& folder) {
  Manifest manifest;
  manifest.name = "demo";
  manifest.seeds = {1, 2, 3};
  manifest.arms = {{"a", "{}", ""}};
  for (const std::uint64_t seed : manifest.seeds) {
    manifest.runs.push_back(
        {.arm = "a", .seed = seed, .state = seed == 2 ? RunState::Stopped : RunState::Finished});
    fs::copy_file(SPARSESCOPE_SOURCES "/recordings/small.h5",
                  folder + "/" + manifest.runs.back().recording());
  }
  experiments::save_manifest(folder, manifest);
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(ExperimentFolder, OpensItsFinishedRunsSideBySide) {
  TemporaryFolder folder;
  write_experiment(folder.path());
  viz::Timeline timeline;
  app::DesktopSession session({}, timeline, app::DesktopSession::Remember::No);
  session.open_recording(folder.path() + "/");
  ASSERT_EQ(timeline.runs().size(), 2u);
  EXPECT_EQ(timeline.feed(timeline.runs()[0]->id())->name, "a-seed-1.h5");
  EXPECT_EQ(timeline.feed(timeline.runs()[1]->id())->name, "a-seed-3.h5");
  EXPECT_NE(refusal([&] { session.open_recording(folder.path()); }).find("are open already"),
            std::string::npos);
  // A run that finished meanwhile joins the others.
  Manifest manifest = experiments::load_manifest(folder.path());
  manifest.runs[1].state = RunState::Finished;
  experiments::save_manifest(folder.path(), manifest);
  session.open_recording(folder.path());
  EXPECT_EQ(timeline.runs().size(), 3u);
}

TEST(ExperimentFolder, OfManyRunsTheFirstTenAreOpenedAndTheOthersAreCounted) {
  TemporaryFolder folder;
  Manifest manifest;
  manifest.name = "many";
  manifest.arms = {{"a", "{}", ""}};
  for (std::uint64_t seed = 1; seed <= 13; ++seed) {
    manifest.seeds.push_back(seed);
    manifest.runs.push_back({.arm = "a", .seed = seed, .state = RunState::Finished});
    fs::copy_file(SPARSESCOPE_SOURCES "/recordings/small.h5", folder / manifest.runs.back().recording());
  }
  experiments::save_manifest(folder.path(), manifest);
  viz::Timeline timeline;
  app::DesktopSession session({}, timeline, app::DesktopSession::Remember::No);
  EXPECT_EQ(session.open_recording(folder.path()),
            "The first 10 of 13 finished runs are open; open the others one by one");
  EXPECT_EQ(timeline.runs().size(), frame::kMostAtOnce);
  EXPECT_EQ(session.open_recording(folder / "a-seed-11.h5"), "");
  EXPECT_EQ(timeline.runs().size(), frame::kMostAtOnce + 1);

  viz::Timeline other;
  app::DesktopOptions options;
  for (const auto& run : manifest.runs) options.files.push_back(folder / run.recording());
  app::DesktopSession started(options, other, app::DesktopSession::Remember::No);
  EXPECT_EQ(started.start(), "The first 10 of 13 files are open; open the others one by one");
  EXPECT_EQ(other.runs().size(), frame::kMostAtOnce);
}

TEST(ExperimentFolder, OpensAllOrNothingAndSaysWhy) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  app::DesktopSession session({}, timeline, app::DesktopSession::Remember::No);
  EXPECT_NE(refusal([&] { session.open_recording(folder.path()); }).find("and no experiment"),
            std::string::npos);
  write_experiment(folder.path());
  fs::remove(folder / "a-seed-3.h5");
  EXPECT_NE(refusal([&] { session.open_recording(folder.path()); }).find("a-seed-3.h5"), std::string::npos);
  EXPECT_TRUE(timeline.runs().empty());
}

}  // namespace
}  // namespace sparsescope::test
