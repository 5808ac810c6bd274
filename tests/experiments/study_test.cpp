// Arms x seeds: what a file describes, and the sentence for each way to get it wrong.
#include "engine/experiments/study.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

class StudyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() /
        (std::string("sparsescope-study-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& text) const {
    const std::string path = folder_ / "mine.toml";
    std::ofstream(path) << text;
    return path;
  }
  Study load(const std::string& text, const std::string& profile = "gpu") const {
    return load_study(write(text), profile);
  }
  // The sentence without the folder; fails the test when nothing is refused.
  std::string refusal(const std::string& text) const {
    try {
      load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::Usage) << error.what();
      const std::string words = error.what();
      return words.substr(words.find("mine.toml"));
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }
  std::filesystem::path folder_;
};

TEST_F(StudyFile, ArmsBeginWithTheirPresetThenTheKeysOfAllThenTheirOwn) {
  const Study study = load(R"(
title = "Two"
base = "spark-collapse"
seeds = [4, 2]
train.steps = 70
spark.tau = 0.25
[[arms]]
name = "plain"
[[arms]]
name = "in-scope"
title = "Inside the scope"
base = "spark-in-scope"
spark.tau = 0.125
)");
  EXPECT_EQ(study.name, "mine");
  EXPECT_EQ(study.title, "Two");
  ASSERT_EQ(study.arms.size(), 2u);
  const Experiment& plain = study.arms[0].experiment;
  EXPECT_EQ(plain.name, "plain");
  EXPECT_EQ(plain.title, "plain");
  EXPECT_EQ(plain.model.spark.estimator, Estimator::Surrogate);
  EXPECT_EQ(plain.train.steps, 70);
  EXPECT_EQ(plain.model.spark.tau, 0.25);
  EXPECT_EQ(plain.train.batch, 64) << "of the preset";
  const Experiment& other = study.arms[1].experiment;
  EXPECT_EQ(other.title, "Inside the scope");
  EXPECT_EQ(other.model.spark.estimator, Estimator::InScope);
  EXPECT_EQ(other.train.steps, 70);
  EXPECT_EQ(other.model.spark.tau, 0.125);
}

TEST_F(StudyFile, RunsComeSeedBySeedAndDifferFromTheirArmInTheSeedAlone) {
  const Study study =
      load("seeds = [4, 2]\n[[arms]]\nname = \"a\"\n[[arms]]\nname = \"b\"\nspark.tau = 1.0\n");
  const std::vector<StudyRun> runs = runs_of(study);
  ASSERT_EQ(runs.size(), 4u);
  EXPECT_EQ(runs[0].arm, "a");
  EXPECT_EQ(runs[1].arm, "b");
  EXPECT_EQ(runs[1].seed, 4u);
  EXPECT_EQ(runs[2].seed, 2u);
  for (const StudyRun& run : runs) {
    EXPECT_EQ(run.experiment.train.seed, run.seed);
    Experiment arm = study.arms[run.arm == "a" ? 0 : 1].experiment;
    arm.train.seed = run.seed;
    EXPECT_EQ(run.experiment, arm);
  }
}

TEST_F(StudyFile, OnACpuItsOwnTableComesAfterThePresets) {
  const std::string text =
      "base = \"dense-rope\"\nseeds = [1]\ntrain.steps = 500\n[cpu]\ntrain.steps = 30\n"
      "[[arms]]\nname = \"a\"\n[[arms]]\nname = \"b\"\ntrain.batch = 2\ncpu.train.batch = 1\n";
  const Study gpu = load(text, "gpu"), cpu = load(text, "cpu");
  EXPECT_EQ(gpu.arms[0].experiment.train.steps, 500);
  EXPECT_EQ(cpu.arms[0].experiment.train.steps, 30);
  EXPECT_EQ(cpu.arms[0].experiment.model.width, 128) << "of the preset's [cpu]";
  EXPECT_EQ(gpu.arms[1].experiment.train.batch, 2);
  EXPECT_EQ(cpu.arms[1].experiment.train.batch, 1);
}

TEST_F(StudyFile, SeedsAloneMakeOneArmCalledLikeTheFile) {
  const Study study = load("base = \"dense-rope\"\nseeds = [1, 2]\n");
  ASSERT_EQ(study.arms.size(), 1u);
  EXPECT_EQ(study.arms[0].name, "mine");
  EXPECT_EQ(study.arms[0].experiment.model.position, PositionKind::Rope);
}

TEST_F(StudyFile, EachMistakeHasItsSentence) {
  const std::string two = "seeds = [1]\n[[arms]]\nname = \"a\"\n[[arms]]\n";
  EXPECT_EQ(refusal("[[arms]]\nname = \"a\"\n"),
            "mine.toml: arms need seeds; say for example seeds = [1, 2, 3]");
  EXPECT_EQ(refusal("seeds = []\n"),
            "mine.toml, line 1: seeds is a list of whole numbers, for example [1, 2, 3]");
  EXPECT_EQ(refusal("seeds = [1,\n -2]\n"),
            "mine.toml, line 2: seeds holds whole numbers from 0 to 9007199254740991");
  EXPECT_EQ(refusal("seeds = [1, 1]\n"), "mine.toml: seed 1 stands twice in seeds; name it once");
  EXPECT_EQ(refusal("seeds = [1]\narms = 3\n"),
            "mine.toml, line 2: arms are tables; begin each with [[arms]]");
  EXPECT_EQ(refusal(two + "spark.tau = 1.0\n"),
            "mine.toml, line 4: an arm has no name; give each of [[arms]] one, for example name = \"wide\"");
  EXPECT_EQ(refusal(two + "name = \"a\"\nspark.tau = 1.0\n"),
            "mine.toml: two arms are called a; give one another name");
  EXPECT_EQ(refusal(two + "name = \"../b\"\n"),
            "mine.toml: arm \"../b\" cannot be part of a file name; use letters, digits, '-', '_' and '.'");
  EXPECT_EQ(refusal(two + "name = \"b\"\n"),
            "mine.toml: arms a and b are the same experiment; change a key of one or leave it out");
  EXPECT_EQ(refusal(two + "name = \"b\"\ntrain.seed = 3\n"),
            "mine.toml, line 6: train.seed stands beside seeds; leave it out, each run gets its own");
  EXPECT_EQ(refusal(two + "name = \"b\"\nbase = \"spark\"\n").substr(0, 48),
            "mine.toml, line 6: there is no preset 'spark'; t");
  EXPECT_EQ(refusal(two + "name = \"b\"\nmodel.heads = 5\n"),
            "mine.toml: arm b: model.width = 192 is not a multiple of model.heads = 5; change one of them");
  EXPECT_NE(refusal(two + "name = \"b\"\nmodel.head = 5\n").find("line 6: "), std::string::npos);
}

TEST_F(StudyFile, IsNoExperimentOfOneRunAndTheOtherWayRound) {
  const std::string path = write("seeds = [1, 2]\n");
  EXPECT_TRUE(is_study(path));
  EXPECT_FALSE(is_study(folder_ / "missing.toml"));
  try {
    load_experiment(path, "gpu");
    FAIL() << "one run was made of many";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("train it with --experiment, into a folder"), std::string::npos);
  }
  EXPECT_FALSE(is_study(write("train.steps = 3\n")));
}

TEST(Studies, ThatShipAreValidInBothProfiles) {
  ASSERT_FALSE(studies().empty());
  for (const Preset& preset : studies()) {
    for (const char* profile : {"gpu", "cpu"}) {
      const Study study = load_study(preset.path, profile);
      EXPECT_EQ(study.name, preset.name);
      EXPECT_GT(study.text.size(), 100u);
      EXPECT_GE(study.seeds.size(), 3u) << "a spread needs seeds";
      EXPECT_EQ(experiment_path(preset.name), preset.path);
    }
  }
  const Study reference = load_study(experiment_path("reference"), "gpu");
  ASSERT_EQ(reference.arms.size(), 2u);
  for (const Arm& arm : reference.arms) {
    Experiment preset = load_preset(arm.name, "gpu");
    EXPECT_EQ(arm.experiment.model, preset.model) << "the preset, longer and on another text";
    EXPECT_EQ(arm.experiment.train.steps, 12 * 170);
    EXPECT_EQ(arm.experiment.data.corpus, "french");
  }
  EXPECT_THROW(experiment_path("referense"), Error);
  EXPECT_EQ(experiment_path("missing/file.toml"), "missing/file.toml");
}

}  // namespace
}  // namespace sparsescope::experiments
