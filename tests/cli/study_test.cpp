// Experiments of arms x seeds from the command line: whole, interrupted, carried elsewhere, failing, locked.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_support.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Two arms x two seeds of the tiny model, a checkpoint every five steps.
class TinyStudy {
 public:
  TinyStudy() {
    corpus = folder.write("corpus.txt", small_corpus());
    std::string text = tiny_experiment();
    text.replace(text.find("threads = 1"), 11, "threads = 1\ncheckpoint_every = 5");
    experiment = folder.write("pair.toml", "seeds = [1, 2]\n" + text + R"([[arms]]
name = "spark"
[[arms]]
name = "dense"
model.mixer = "dense"
)");
  }
  std::vector<std::string> train(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        cli(), "train", "--device", "cpu", "--free-at-start", "1", "--free-while-running", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> into(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = train({"--experiment", experiment, "--corpus", corpus, "--out", out});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  TemporaryFolder folder;
  std::string corpus, experiment;
};

nlohmann::json manifest(const std::string& folder) {
  return nlohmann::json::parse(read(folder + "/manifest.json"), nullptr, false);
}

std::map<std::string, std::string> states(const std::string& folder) {
  std::map<std::string, std::string> all;
  const nlohmann::json json = manifest(folder);
  for (const auto& run : json["runs"])
    all[run["arm"].get<std::string>() + "-seed-" + run["seed"].dump()] = run["state"];
  return all;
}

std::vector<std::string> files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

const std::vector<std::string> kRuns = {"spark-seed-1", "dense-seed-1", "spark-seed-2", "dense-seed-2"};

// Training loss by step, as its shortest exact text; of several recordings the later ones stand.
std::map<int, std::string> losses(const std::vector<std::string>& recordings) {
  std::map<int, std::string> found;
  for (const std::string& path : recordings) {
    const ProcessResult table = run_process({cli(), "table", path, "--channel", "scalars"});
    EXPECT_EQ(table.exit_code, 0) << table.errors;
    std::istringstream lines(table.output);
    std::string line, step, loss;
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with("step,cross_entropy,")) << line;
    while (std::getline(lines, line)) {
      std::istringstream cells(line);
      std::getline(cells, step, ',');
      std::getline(cells, loss, ',');
      found[std::stoi(step)] = loss;
    }
  }
  return found;
}

// The same losses at every step, whatever was interrupted: earlier parts first. A killed process may have
// saved a checkpoint of steps whose rows it had not yet committed: at most `lost` of them in all runs.
void expect_equal_losses(const std::string& whole, const std::string& other, std::size_t lost) {
  std::size_t missing = 0;
  for (const std::string& run : kRuns) {
    std::vector<std::string> parts;
    for (int part = 1; fs::exists(other + "/" + run + ".part-" + std::to_string(part) + ".h5"); ++part) {
      const std::string path = other + "/" + run + ".part-" + std::to_string(part) + ".h5";
      if (!fs::exists(path + ".idx")) parts.push_back(path);
    }
    parts.push_back(other + "/" + run + ".h5");
    const auto expected = losses({whole + "/" + run + ".h5"}), found = losses(parts);
    EXPECT_EQ(expected.size(), 20u) << run;
    for (const auto& [step, loss] : expected) {
      if (!found.contains(step))
        ++missing;
      else
        EXPECT_EQ(found.at(step), loss) << run << ", step " << step;
    }
    EXPECT_EQ(found.rbegin()->first, 20) << run;
  }
  EXPECT_LE(missing, lost);
}

TEST(Study, EveryRunIsRecordedAndTheManifestSaysSo) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  const ProcessResult result = run_process(study.into(out));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, "4 of 4 runs finished in " + out + "\n");
  EXPECT_EQ(files(out), (std::vector<std::string>{"dense-seed-1.h5", "dense-seed-2.h5", "manifest.json",
                                                  "spark-seed-1.h5", "spark-seed-2.h5"}))
      << "no checkpoint and no lock stays";
  const nlohmann::json json = manifest(out);
  EXPECT_EQ(json["seeds"], (std::vector<int>{1, 2}));
  EXPECT_EQ(json["corpus"], std::vector<std::string>{"../corpus.txt"});
  EXPECT_EQ(json["arms"][1]["experiment"]["model"]["mixer"], "dense");
  EXPECT_EQ(json["arms"][0]["text"]["corpus"]["sha256"].get<std::string>().size(), 64u);
  for (const auto& run : json["runs"]) {
    EXPECT_EQ(run["state"], "finished");
    EXPECT_EQ(run["steps"], 20);
    EXPECT_EQ(run["device"], "CPU, 1 thread");
    EXPECT_FALSE(run["program"]["commit"].get<std::string>().empty());
  }
  EXPECT_EQ(read(out + "/manifest.json").find(study.folder.path()), std::string::npos)
      << "no path of this machine";

  const auto before = fs::last_write_time(out + "/spark-seed-1.h5");
  const ProcessResult again = run_process(study.into(out));
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(fs::last_write_time(out + "/spark-seed-1.h5"), before) << "finished runs are never repeated";
  EXPECT_EQ(again.errors.find("spark-seed-1"), std::string::npos) << again.errors;
}

TEST(Study, InfoShowsWhatTheRecordingsSay) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  ASSERT_EQ(run_process(study.into(out)).exit_code, 0);
  const ProcessResult words = run_process({cli(), "info", out});
  ASSERT_EQ(words.exit_code, 0) << words.errors;
  EXPECT_NE(words.output.find("2 arms x 2 seeds: 4 finished"), std::string::npos) << words.output;
  const ProcessResult result = run_process({cli(), "info", out, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  double sum = 0;
  for (int i : {0, 2}) {  // the runs of arm spark
    const std::string recording = out + "/" + json["runs"][i]["recording"].get<std::string>();
    const ProcessResult table =
        run_process({cli(), "table", recording, "--channel", "evaluation", "--steps", "20:"});
    std::istringstream lines(table.output);
    std::string line, step, nll;
    while (std::getline(lines, line)) {
      std::istringstream cells(line);
      std::getline(cells, step, ',');
      std::getline(cells, nll, ',');
    }
    EXPECT_EQ(json["runs"][i]["outcome"]["held-out loss"]["value"].get<double>(), std::stod(nll));
    sum += std::stod(nll);
  }
  const auto& loss = json["arms"][0]["outcome"]["held-out loss"];
  EXPECT_EQ(loss["seeds"], 2);
  EXPECT_NEAR(loss["mean"].get<double>(), sum / 2, 1e-12);
  EXPECT_GT(loss["deviation"].get<double>(), 0);
  EXPECT_TRUE(json["arms"][0]["outcome"]["theta"]["mean"].is_number());
  EXPECT_TRUE(json["arms"][1]["outcome"]["theta"]["mean"].is_null()) << "dense models have none";
  EXPECT_TRUE(json["arms"][1]["outcome"]["needle 2x"]["mean"].is_number());
}

TEST(Study, InterruptedAndContinuedItGivesTheSameLosses) {
  TinyStudy study;
  const std::string whole = study.folder / "whole", cut = study.folder / "cut";
  ASSERT_EQ(run_process(study.into(whole)).exit_code, 0);
  // Two and a half seconds a run; Ctrl-C falls into the first, or on a busy machine just before it.
  const auto paced = study.into(cut, {"--set", "train.pace=8"});
  const ProcessResult stopped = run_process(paced, {.interrupt_after_ms = 1500});
  ASSERT_EQ(stopped.exit_code, 0) << stopped.errors;
  EXPECT_NE(stopped.output.find("--resume " + cut + ", goes on"), std::string::npos) << stopped.output;
  const auto after = states(cut);
  EXPECT_TRUE(std::ranges::any_of(after, [](const auto& run) { return run.second == "stopped"; }));
  EXPECT_EQ(after.at("dense-seed-2"), "waiting");
  EXPECT_FALSE(fs::exists(cut + "/lock"));

  // Killed in the next one, without a word.
  run_process(paced, {.limit_seconds = 2});
  EXPECT_TRUE(fs::exists(cut + "/lock"));
  const ProcessResult rest = run_process(study.train({"--resume", cut}));
  ASSERT_EQ(rest.exit_code, 0) << rest.errors;
  EXPECT_NE(rest.errors.find("was left behind"), std::string::npos) << rest.errors;
  for (const auto& [run, state] : states(cut)) EXPECT_EQ(state, "finished") << run;
  for (const std::string& name : files(cut)) EXPECT_EQ(name.find("safetensors"), std::string::npos) << name;
  expect_equal_losses(whole, cut, 8);  // a second's rows, eight steps
  EXPECT_EQ(manifest(cut)["commands"].size(), 3u);
}

TEST(Study, CarriedToAnotherPlaceItGoesOnWithTheSameTextAlone) {
  TinyStudy study;
  const std::string whole = study.folder / "whole", cut = study.folder / "cut";
  ASSERT_EQ(run_process(study.into(whole)).exit_code, 0);
  ASSERT_EQ(run_process(study.into(cut, {"--set", "train.pace=20"}), {.interrupt_after_ms = 1500}).exit_code,
            0);
  TemporaryFolder elsewhere;
  const std::string moved = elsewhere / "deep/cut";
  fs::create_directories(elsewhere / "deep");
  fs::copy(cut, moved);

  const ProcessResult lost = run_process(study.train({"--resume", moved}));
  EXPECT_EQ(lost.exit_code, 3);
  EXPECT_NE(lost.errors.find("say where it is with --corpus"), std::string::npos) << lost.errors;
  const std::string before = read(moved + "/manifest.json");
  const std::string other = elsewhere.write("other.txt", small_corpus() + "\n\nAnd more.\n");
  const ProcessResult differs = run_process(study.train({"--resume", moved, "--corpus", other}));
  EXPECT_EQ(differs.exit_code, 3);
  EXPECT_NE(differs.errors.find("the text differs: "), std::string::npos) << differs.errors;
  EXPECT_EQ(read(moved + "/manifest.json"), before) << "a refusal changes nothing";

  const std::string same = elsewhere.write("same.txt", small_corpus());
  const ProcessResult rest = run_process(study.train({"--resume", moved, "--corpus", same}));
  ASSERT_EQ(rest.exit_code, 0) << rest.errors;
  EXPECT_EQ(manifest(moved)["corpus"], std::vector<std::string>{"../../same.txt"});
  expect_equal_losses(whole, moved, 0);
}

TEST(Study, AFailedRunIsStatedAndTheOthersGoOn) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  ASSERT_EQ(run_process(study.into(out)).exit_code, 0);
  // Two runs begin again, one of them from a checkpoint of another model.
  ASSERT_EQ(run_process(study.train({"--experiment", study.folder.write("wide.toml", tiny_experiment()),
                                     "--corpus", study.corpus, "--set", "model.width=32", "--set",
                                     "train.checkpoint_every=10", "--out", study.folder / "wide.h5"}))
                .exit_code,
            0);
  fs::copy_file(study.folder / "wide.step-000000010.safetensors",
                out + "/dense-seed-1.step-000000010.safetensors");
  nlohmann::json json = manifest(out);
  for (int i : {1, 2}) json["runs"][i]["state"] = "waiting";
  std::ofstream(out + "/manifest.json") << json.dump();
  fs::remove(out + "/dense-seed-1.h5");
  fs::remove(out + "/spark-seed-2.h5");

  const ProcessResult result = run_process(study.into(out));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.errors.find("1 of 4 runs failed, the first of them dense-seed-1: "), std::string::npos)
      << result.errors;
  EXPECT_NE(result.errors.find("the same command tries them again"), std::string::npos) << result.errors;
  EXPECT_EQ(states(out).at("dense-seed-1"), "failed");
  EXPECT_EQ(states(out).at("spark-seed-2"), "finished") << "it came after the failure";
  EXPECT_FALSE(manifest(out)["runs"][1]["message"].get<std::string>().empty());
  EXPECT_NE(run_process({cli(), "info", out}).output.find("1 failed"), std::string::npos);

  fs::remove(out + "/dense-seed-1.step-000000010.safetensors");
  EXPECT_EQ(run_process(study.into(out)).exit_code, 0);
  EXPECT_EQ(states(out).at("dense-seed-1"), "finished");
}

TEST(Study, ARunThatClosedItsRecordingBeforeItWasWrittenDownIsNotRepeated) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  ASSERT_EQ(run_process(study.into(out)).exit_code, 0);
  nlohmann::json json = manifest(out);
  json["runs"][3]["state"] = "running";
  std::ofstream(out + "/manifest.json") << json.dump();
  const std::string bytes = read(out + "/dense-seed-2.h5");
  EXPECT_EQ(run_process(study.into(out)).exit_code, 0);
  EXPECT_EQ(read(out + "/dense-seed-2.h5"), bytes);
  EXPECT_EQ(states(out).at("dense-seed-2"), "finished");
}

TEST(Study, ASecondProcessIsRefusedWhileTheFirstHoldsTheLock) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  ASSERT_EQ(run_process(study.into(out)).exit_code, 0);
  const int lock = ::open((out + "/lock").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_GE(lock, 0);
  const std::string words = "process 1 on elsewhere";
  ASSERT_EQ(::write(lock, words.data(), words.size()), static_cast<ssize_t>(words.size()));
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  const ProcessResult refused = run_process(study.into(out));
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.errors.find(" is being trained by process 1 on elsewhere; wait for it"),
            std::string::npos)
      << refused.errors;
  ::close(lock);  // as if it had died: the file stays
  const ProcessResult taken = run_process(study.into(out));
  EXPECT_EQ(taken.exit_code, 0) << taken.errors;
  EXPECT_NE(taken.errors.find("the lock of process 1 on elsewhere was left behind"), std::string::npos);
  EXPECT_FALSE(fs::exists(out + "/lock"));
}

TEST(Study, ArgumentsThatDoNotGoTogetherAreRefusedBeforeAnythingIsMade) {
  TinyStudy study;
  const std::string out = study.folder / "pair";
  const auto refusal = [&](const std::vector<std::string>& arguments, int code) {
    const ProcessResult result = run_process(arguments);
    EXPECT_EQ(result.exit_code, code) << result.errors;
    EXPECT_FALSE(fs::exists(out));
    return result.errors;
  };
  EXPECT_NE(refusal(study.into(out, {"--seed", "3"}), 2).find("has seeds of its own"), std::string::npos);
  EXPECT_NE(refusal(study.into(out + ".h5"), 2).find("name a folder"), std::string::npos);
  EXPECT_NE(refusal(study.into(out, {"--set", "model.heads=3"}), 2).find("arm spark: model.width"),
            std::string::npos);
  ASSERT_EQ(run_process(study.into(study.folder / "begun", {"--steps", "3"})).exit_code, 0);
  EXPECT_NE(refusal(study.into(study.folder / "begun"), 3).find("train.steps of arm spark: 3 there, 20 here"),
            std::string::npos);
  EXPECT_NE(refusal(study.train({"--resume", study.folder / "begun", "--steps", "3"}), 2)
                .find("goes on with what its manifest says"),
            std::string::npos);
  EXPECT_NE(refusal(study.into(study.folder.path()), 3).find("holds something else"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::test
