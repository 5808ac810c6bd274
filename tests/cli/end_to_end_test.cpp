// A run from the command line to its numbers: what train records is what info, table and h5py read.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_support.h"

namespace sparsescope::test {
namespace {

std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
    rows.push_back(fields);
  }
  return rows;
}

nlohmann::json info(const std::string& path) {
  const ProcessResult result = run_process({cli(), "info", path, "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

TEST(EndToEnd, InfoTableAndH5pyAgree) {
  TinyRun run;
  const ProcessResult trained = run_process(run.with_output({"--json"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  const auto outcome = nlohmann::json::parse(trained.output);
  EXPECT_EQ(outcome["outcome"], "finished");
  EXPECT_EQ(outcome["steps"], 20);

  const nlohmann::json facts = info(run.recording);
  EXPECT_EQ(facts["state"], "closed, finished");
  EXPECT_EQ(facts["rows_of_channel"]["threshold"], 20);
  EXPECT_EQ(facts["rows"].get<std::uint64_t>(), outcome["frames_recorded"].get<std::uint64_t>());

  const ProcessResult table = run_process({cli(), "table", run.recording, "--channel", "threshold"});
  ASSERT_EQ(table.exit_code, 0) << table.errors;
  const auto rows = parse_csv(table.output);
  ASSERT_EQ(rows.size(), 21u);

  if (!std::filesystem::exists("/usr/lib/python3/dist-packages/h5py"))
    GTEST_SKIP() << "python3-h5py is not installed";
  const ProcessResult python =
      run_process({"/usr/bin/python3", "-c",
                   "import h5py, sys\n"
                   "f = h5py.File(sys.argv[1], 'r')\n"
                   "c = f['channels/threshold']\n"
                   "for step, row in zip(c['step'][:], c['values'][:]):\n"
                   "    print(','.join([str(step)] + [repr(float(x)) for x in row.ravel()]))\n",
                   run.recording});
  ASSERT_EQ(python.exit_code, 0) << python.errors;
  const auto theirs = parse_csv(python.output);
  ASSERT_EQ(theirs.size(), 20u);
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    ASSERT_EQ(theirs[i].size(), rows[i + 1].size());
    for (std::size_t j = 0; j < theirs[i].size(); ++j) {
      const float ours = std::stof(rows[i + 1][j]), other = std::stof(theirs[i][j]);
      EXPECT_TRUE(ours == other || (std::isnan(ours) && std::isnan(other))) << i << " " << j;
    }
  }
}

TEST(EndToEnd, TableReadsHeavyChannelsAndStepRanges) {
  TinyRun run;
  ASSERT_EQ(run_process(run.with_output()).exit_code, 0);
  const ProcessResult pooled =
      run_process({cli(), "table", run.recording, "--channel", "scope_pooled", "--steps", "5:12"});
  ASSERT_EQ(pooled.exit_code, 0) << pooled.errors;
  std::vector<std::string> steps;
  for (const auto& row : parse_csv(pooled.output)) steps.push_back(row[0]);
  EXPECT_EQ(steps, (std::vector<std::string>{"step", "5", "10"}));
  const ProcessResult edges =
      run_process({cli(), "table", run.recording, "--channel", "edges", "--steps", ":10"});
  ASSERT_EQ(edges.exit_code, 0) << edges.errors;
  EXPECT_GT(parse_csv(edges.output).size(), 10u);
}

TEST(EndToEnd, TheSameSeedGivesTheSameLosses) {
  TinyRun run;
  std::vector<std::string> tables;
  for (const char* name : {"a.h5", "b.h5"}) {
    ASSERT_EQ(run_process(run.arguments({"--out", run.folder / name, "--seed", "5"})).exit_code, 0);
    const ProcessResult table = run_process({cli(), "table", run.folder / name, "--channel", "density"});
    tables.push_back(table.output);
  }
  EXPECT_FALSE(tables[0].empty());
  EXPECT_EQ(tables[0], tables[1]);
  ASSERT_EQ(run_process(run.arguments({"--out", run.folder / "c.h5", "--seed", "6"})).exit_code, 0);
  EXPECT_NE(run_process({cli(), "table", run.folder / "c.h5", "--channel", "density"}).output, tables[0]);
}

TEST(EndToEnd, ABudgetKeepsTheRecordingBelowItAndSaysWhatItLeftOut) {
  TinyRun run;
  const std::vector<std::string> large = {"--steps", "400",
                                          "--set",   "model.context=64",
                                          "--set",   "model.layers=3",
                                          "--set",   "evaluation.every=100",
                                          "--set",   "evaluation.needle_every=0"};
  const auto trained = [&](const std::string& name, const std::string& budget) {
    std::vector<std::string> more = large;
    more.insert(more.end(), {"--out", run.folder / name, "--set", "recording.budget=" + budget});
    const ProcessResult result = run_process(run.arguments(more));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return info(run.folder / name);
  };
  const nlohmann::json all = trained("all.h5", "0"), some = trained("some.h5", "1200000");
  EXPECT_GT(all["bytes"].get<double>(), 2e6);
  EXPECT_LT(some["bytes"].get<double>(), 1.2e6);
  EXPECT_GT(some["bytes"].get<double>(), 0.7e6) << "it is used";
  EXPECT_EQ(all["rows_of_channel"]["declared_top"], 81);
  const int probes = some["rows_of_channel"]["declared_top"];
  EXPECT_GT(probes, 8);
  EXPECT_EQ(some["rows_of_channel"]["scope_pooled"], probes);
  for (const char* kept : {"scalars", "threshold", "density", "evaluation"})
    EXPECT_EQ(some["rows_of_channel"][kept], all["rows_of_channel"][kept]) << kept << " is never left out";
  const nlohmann::json& last = some["events"].back();
  EXPECT_EQ(last["kind"], "end");
  EXPECT_EQ(last["left_out"]["probes"], 81 - probes);
  EXPECT_NE(last["text"].get<std::string>().find("to keep the recording below 1.20 MB"), std::string::npos);
  EXPECT_FALSE(all["events"].back().contains("left_out"));
  // What is watched changes nothing: the same thresholds at every step.
  const auto thresholds = [&](const std::string& name) {
    return run_process({cli(), "table", run.folder / name, "--channel", "threshold"}).output;
  };
  EXPECT_EQ(thresholds("some.h5"), thresholds("all.h5"));
}

TEST(EndToEnd, CtrlCClosesAWholeRecording) {
  TinyRun run;
  const ProcessResult result =
      run_process(run.with_output({"--steps", "1000000", "--json"}), {.interrupt_after_ms = 4000});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(nlohmann::json::parse(result.output)["outcome"], "stopped");
  const nlohmann::json facts = info(run.recording);
  EXPECT_EQ(facts["state"], "closed, stopped");
  EXPECT_GT(facts["rows_of_channel"]["scalars"].get<int>(), 0);
}

TEST(EndToEnd, ARunContinuesFromItsCheckpoint) {
  TinyRun run;
  ASSERT_EQ(run_process(run.with_output({"--set", "train.checkpoint_every=10"})).exit_code, 0);
  std::string checkpoint;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder.path())) {
    if (entry.path().string().ends_with("step-000000010.safetensors")) checkpoint = entry.path();
  }
  ASSERT_FALSE(checkpoint.empty());
  const ProcessResult resumed =
      run_process(run.arguments({"--out", run.folder / "resumed.h5", "--resume", checkpoint}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  const auto whole = run_process({cli(), "table", run.recording, "--channel", "density", "--steps", "11:20"});
  const auto tail =
      run_process({cli(), "table", run.folder / "resumed.h5", "--channel", "density", "--steps", "11:20"});
  EXPECT_GT(whole.output.size(), 100u);
  EXPECT_EQ(whole.output, tail.output);
}

TEST(EndToEnd, ADamagedCheckpointStepsBackAndIsSaidOnStandardError) {
  TinyRun run;
  ASSERT_EQ(run_process(run.with_output({"--set", "train.checkpoint_every=5"})).exit_code, 0);
  std::vector<std::string> checkpoints;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder.path())) {
    if (entry.path().string().ends_with(".safetensors")) checkpoints.push_back(entry.path());
  }
  std::sort(checkpoints.begin(), checkpoints.end());
  ASSERT_EQ(checkpoints.size(), 3u);  // the last two scheduled ones and the final one
  std::filesystem::resize_file(checkpoints[1], std::filesystem::file_size(checkpoints[1]) - 100);
  const ProcessResult resumed =
      run_process(run.arguments({"--out", run.folder / "resumed.h5", "--resume", checkpoints[1]}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  const std::string older = std::filesystem::path(checkpoints[0]).filename();
  EXPECT_NE(resumed.errors.find("resuming from " + older + " instead"), std::string::npos) << resumed.errors;
}

TEST(EndToEnd, HelpAndPresetsAnswer) {
  EXPECT_EQ(run_process({cli(), "--help"}).exit_code, 0);
  const ProcessResult help = run_process({cli(), "train", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* option : {"--preset", "--experiment", "--set", "--corpus", "--device", "--steps", "--seed",
                             "--resume", "--out", "--json"}) {
    EXPECT_NE(help.output.find(option), std::string::npos) << option;
  }
  const ProcessResult presets = run_process({cli(), "presets", "--json"});
  ASSERT_EQ(presets.exit_code, 0) << presets.errors;
  const auto json = nlohmann::json::parse(presets.output);
  ASSERT_GE(json.size(), 4u);
  EXPECT_EQ(json[0]["name"], "spark-collapse");
  EXPECT_GT(json[0]["estimates"]["gpu"]["parameters"], json[0]["estimates"]["cpu"]["parameters"]);
  EXPECT_GT(json[0]["estimates"]["cpu"]["file_bytes"], 100'000);
}

}  // namespace
}  // namespace sparsescope::test
