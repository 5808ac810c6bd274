// What a person gets wrong, each answered by one sentence and an exit code; nothing that exists is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/cli_support.h"

namespace sparsescope::test {
namespace {

// One sentence on standard error after the run's announcement, nothing on standard output, nothing recorded.
void expect_refusal(const ProcessResult& result, int exit_code, const std::vector<std::string>& words) {
  EXPECT_EQ(result.exit_code, exit_code) << result.errors;
  const std::size_t at = result.errors.rfind("sparsescope-cli: ");
  ASSERT_NE(at, std::string::npos) << result.errors;
  const std::string sentence = result.errors.substr(at);
  EXPECT_EQ(std::count(sentence.begin(), sentence.end(), '\n'), 1) << sentence;
  for (const std::string& word : words)
    EXPECT_NE(sentence.find(word), std::string::npos) << sentence << " lacks: " << word;
  EXPECT_EQ(sentence.find("should not have happened"), std::string::npos) << sentence;
}

std::vector<std::string> train_on(const TinyRun& run, const std::string& corpus) {
  return {cli(),   "train",      "--experiment", run.experiment,    "--corpus",
          corpus,  "--device",   "cpu",          "--free-at-start", "1",
          "--out", run.recording};
}

TEST(BadInput, AMissingCorpusIsNamed) {
  TinyRun run;
  expect_refusal(run_process(train_on(run, run.folder / "nowhere.txt")), 3, {"nowhere.txt"});
  EXPECT_FALSE(std::filesystem::exists(run.recording));
}

TEST(BadInput, AnEmptyCorpusIsNamed) {
  TinyRun run;
  expect_refusal(run_process(train_on(run, run.folder.write("empty.txt", ""))), 3, {"empty"});
}

TEST(BadInput, ABinaryCorpusIsNamed) {
  TinyRun run;
  std::string bytes(4096, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37);
  expect_refusal(run_process(train_on(run, run.folder.write("image.bin", bytes))), 3, {"image.bin"});
}

TEST(BadInput, ACorpusOfOneTokenIsTooShort) {
  TinyRun run;
  expect_refusal(run_process(train_on(run, run.folder.write("short.txt", "a"))), 3, {"short"});
}

TEST(BadInput, AnUnreadableCorpusIsNamed) {
  TinyRun run;
  std::filesystem::permissions(run.corpus, std::filesystem::perms::none);
  expect_refusal(run_process(train_on(run, run.corpus), {.rights = Rights::LikeAUser}), 3, {"corpus.txt"});
}

TEST(BadInput, AnUnknownPresetListsTheKnownOnes) {
  expect_refusal(run_process({cli(), "train", "--preset", "spark-colapse", "--device", "cpu"}), 2,
                 {"spark-colapse", "spark-collapse", "dense-alibi"});
}

TEST(BadInput, AnUnknownKeyNamesTheNearestOne) {
  TinyRun run;
  expect_refusal(run_process(run.with_output({"--set", "spark.thau=1"})), 2, {"spark.thau", "spark.tau"});
  EXPECT_FALSE(std::filesystem::exists(run.recording));
}

TEST(BadInput, AnIllTypedKeySaysWhatFits) {
  TinyRun run;
  expect_refusal(run_process(run.with_output({"--set", "train.batch=many"})), 2, {"train.batch", "many"});
  expect_refusal(run_process(run.with_output({"--set", "train.batch=0"})), 2, {"train.batch", "0"});
  expect_refusal(run_process(run.with_output({"--set", "model.mixer=sparse"})), 2, {"model.mixer", "window"});
}

TEST(BadInput, AnExperimentFileThatIsNoTomlIsNamed) {
  TinyRun run;
  const std::string broken = run.folder.write("broken.toml", "name = \n[model\n");
  expect_refusal(run_process({cli(), "train", "--experiment", broken, "--device", "cpu"}), 2,
                 {"broken.toml"});
}

TEST(BadInput, CudaWithoutAGpuIsRefusedInWords) {
  TinyRun run;
  std::vector<std::string> arguments = run.with_output();
  *(std::find(arguments.begin(), arguments.end(), "cpu")) = "cuda";
  expect_refusal(run_process(arguments, {.environment = {"CUDA_VISIBLE_DEVICES=-1"}}), 1,
                 {"GPU", "--device cpu"});
}

TEST(BadInput, AReadOnlyFolderIsSaidBeforeTrainingStarts) {
  TinyRun run;
  const std::string locked = run.folder / "locked";
  std::filesystem::create_directory(locked);
  std::filesystem::permissions(locked,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const ProcessResult result =
      run_process(run.arguments({"--out", locked + "/run.h5"}), {.rights = Rights::LikeAUser});
  expect_refusal(result, 3, {"locked"});
  EXPECT_EQ(result.errors.find("step "), std::string::npos) << "training had started";
}

TEST(BadInput, AnExistingRecordingIsNeverOverwritten) {
  TinyRun run;
  const std::string precious = run.folder.write("precious.h5", "do not lose me");
  expect_refusal(run_process(run.arguments({"--out", precious})), 3, {"precious.h5", "exists"});
  std::ifstream file(precious);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "do not lose me");
}

TEST(BadInput, AFullDiskAtTheStartIsSaidInMebibytes) {
  TinyRun run;
  std::vector<std::string> arguments = run.with_output();
  *(std::find(arguments.begin(), arguments.end(), "--free-at-start") + 1) = "900000000";
  expect_refusal(run_process(arguments), 3, {"free"});
  EXPECT_FALSE(std::filesystem::exists(run.recording));
}

TEST(BadInput, AFullDiskInMidRunStopsTheRecordingAndNotTheTraining) {
  TinyRun run;
  const std::string small_disk = run.folder / "disk";
  std::filesystem::create_directory(small_disk);
  if (mount("tmpfs", small_disk.c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "mounting a small disk needs root: " << strerror(errno);
  }
  std::vector<std::string> arguments = run.arguments(
      {"--out", small_disk + "/run.h5", "--steps", "4000", "--json", "--set", "probe.every=1", "--set",
       "probe.edges_every=1", "--set", "evaluation.needle_every=0", "--set", "evaluation.every=0"});
  for (const char* option : {"--free-at-start", "--free-while-running"}) {
    *(std::find(arguments.begin(), arguments.end(), option) + 1) = "0";
  }
  const ProcessResult result = run_process(arguments);
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_NE(result.output.find("\"outcome\": \"finished\""), std::string::npos)
      << result.output << result.errors;
  EXPECT_NE(result.errors.find("recording stopped at step"), std::string::npos) << result.errors;
  const ProcessResult info = run_process({cli(), "info", small_disk + "/run.h5"});
  EXPECT_EQ(info.exit_code, 0) << info.errors;  // the committed prefix is there
  EXPECT_NE(info.output.find("rows"), std::string::npos);
  umount2(small_disk.c_str(), MNT_DETACH);
}

TEST(BadInput, WhatIsNoRecordingIsRefused) {
  TemporaryFolder folder;
  expect_refusal(run_process({cli(), "info", folder / "absent.h5"}), 3, {"absent.h5"});
  expect_refusal(run_process({cli(), "info", folder.path()}), 3, {"folder"});
  expect_refusal(run_process({cli(), "info", folder.write("text.h5", "hello")}), 3, {"text.h5"});
  expect_refusal(run_process({cli(), "info", folder.write("empty.h5", "")}), 3, {"empty.h5"});
}

TEST(BadInput, ATruncatedRecordingIsRefusedOrReadUpToTheCut) {
  TinyRun run;
  ASSERT_EQ(run_process(run.with_output()).exit_code, 0);
  const auto size = std::filesystem::file_size(run.recording);
  for (const double share : {0.02, 0.3, 0.6, 0.9, 0.999}) {
    const std::string cut = run.folder / fmt::format("cut-{}.h5", share);
    std::filesystem::copy_file(run.recording, cut);
    std::filesystem::resize_file(cut, static_cast<std::uintmax_t>(static_cast<double>(size) * share));
    const ProcessResult result = run_process({cli(), "info", cut}, {.limit_seconds = 20});
    EXPECT_TRUE(result.exit_code == 3 || result.exit_code == 5)
        << share << ": " << result.exit_code << result.errors;
    EXPECT_EQ(result.errors.find("should not have happened"), std::string::npos) << result.errors;
  }
}

TEST(BadInput, AnUnknownChannelListsTheKnownOnes) {
  TinyRun run;
  ASSERT_EQ(run_process(run.with_output()).exit_code, 0);
  expect_refusal(run_process({cli(), "table", run.recording, "--channel", "treshold"}), 2,
                 {"treshold", "threshold", "density"});
  expect_refusal(run_process({cli(), "table", run.recording, "--channel", "density", "--steps", "9:3"}), 2,
                 {"9:3"});
  expect_refusal(run_process({cli(), "table", run.recording, "--channel", "density", "--steps", "all"}), 2,
                 {"all"});
}

TEST(BadInput, ACheckpointThatIsNoneIsRefused) {
  TinyRun run;
  expect_refusal(run_process(run.with_output({"--resume", run.folder / "gone.safetensors"})), 3,
                 {"gone.safetensors"});
  expect_refusal(run_process(run.with_output({"--resume", run.corpus})), 3, {"corpus.txt"});
}

TEST(BadInput, WrongUsageIsOneSentence) {
  expect_refusal(run_process({cli()}), 2, {});
  expect_refusal(run_process({cli(), "trian"}), 2, {"trian"});
  expect_refusal(run_process({cli(), "train"}), 2, {"--preset"});
  expect_refusal(run_process({cli(), "train", "--preset", "dense-rope", "--device", "tpu"}), 2, {"tpu"});
  expect_refusal(run_process({cli(), "train", "--preset", "dense-rope", "--steps", "-4"}), 2, {"--steps"});
}

}  // namespace
}  // namespace sparsescope::test
