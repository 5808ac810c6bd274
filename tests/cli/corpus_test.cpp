// sparsescope-cli corpus, and training on what it packed: as on a machine that builds and one without
// network.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/cli/cli_support.h"
#include "tests/support/local_archive.h"

namespace sparsescope::test {
namespace {

constexpr const char* kCorpus = R"(title = "Words"
text = "For tests."
licence = "free words"
source = "made up"
approximate_bytes = 20000
download_bytes = 3000000
repeated_lines = "kept"

[[package]]
name = "tiny-text"
version = "1.0"
files = ["usr/share/tiny/*.gz"]
format = "plain"
)";

class CorpusCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(run_.folder / "archive");
    archive_.emplace(run_.folder / "archive");
    archive_->add("tiny-text", "1.0", {{"usr/share/tiny/words.txt.gz", gzip(small_corpus())}});
    if (!archive_->publish()) GTEST_SKIP() << "apt-get or dpkg-deb is not here";
    std::filesystem::create_directories(run_.folder / "assets/corpora");
    run_.folder.write("assets/corpora/words.toml", kCorpus);
  }

  ProcessResult call(std::vector<std::string> arguments, const std::string& cache = "cache") const {
    arguments.insert(arguments.begin(), cli());
    return run_process(arguments, {.environment = {"APT_CONFIG=" + archive_->settings(),
                                                   "SPARSESCOPE_ASSETS=" + (run_.folder / "assets"),
                                                   "SPARSESCOPE_CACHE=" + (run_.folder / cache)}});
  }
  std::vector<std::string> training(const std::string& corpus, const std::string& recording) const {
    return {"train",
            "--experiment",
            run_.experiment,
            "--corpus",
            corpus,
            "--device",
            "cpu",
            "--set",
            "data.tokenizer=bpe",
            "--set",
            "data.vocabulary=300",
            "--free-at-start",
            "1",
            "--free-while-running",
            "1",
            "--steps",
            "10",
            "--out",
            run_.folder / recording};
  }
  // What the recording says about its text.
  nlohmann::json data_of(const std::string& recording) const {
    const ProcessResult info = call({"info", run_.folder / recording, "--json"});
    EXPECT_EQ(info.exit_code, 0) << info.errors;
    const nlohmann::json events = nlohmann::json::parse(info.output).at("events");
    for (const nlohmann::json& event : events) {
      if (event.is_object() && event.contains("data")) return event.at("data");
    }
    ADD_FAILURE() << "no event with the data: " << events;
    return {};
  }
  void expect_refused(const ProcessResult& result, int exit_code, const std::string& words) const {
    EXPECT_EQ(result.exit_code, exit_code) << result.errors;
    const std::string sentence = result.errors.substr(result.errors.rfind("sparsescope-cli: "));
    EXPECT_NE(sentence.find(words), std::string::npos) << sentence;
    EXPECT_EQ(std::count(sentence.begin(), sentence.end(), '\n'), 1) << sentence;
  }

  TinyRun run_;
  std::optional<LocalArchive> archive_;
};

TEST_F(CorpusCommand, ListSaysWhatEachIsAndWhetherItIsBuilt) {
  const ProcessResult before = call({"corpus", "list"});
  EXPECT_EQ(before.exit_code, 0) << before.errors;
  for (const char* words : {"words\n", "Words", "free words", "made up", "tiny-text 1.0",
                            "not built; the first use fetches about 3 MB"})
    EXPECT_NE(before.output.find(words), std::string::npos) << words << " in " << before.output;

  const std::string pack = run_.folder / "words.pack";
  const ProcessResult prepared = call({"corpus", "prepare", "words", "-o", pack, "--vocabulary", "300"});
  ASSERT_EQ(prepared.exit_code, 0) << prepared.errors;
  for (const char* words : {"tiny-text 1.0", "tokenizer of 300 ids", "SHA-256", "use it with --corpus"})
    EXPECT_NE(prepared.output.find(words), std::string::npos) << words << " in " << prepared.output;

  const auto json = nlohmann::json::parse(call({"corpus", "list", "--json"}).output);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0].at("state"), "built");
  EXPECT_NEAR(json[0].at("bytes"), static_cast<double>(small_corpus().size()), 200)
      << "without line ends of blocks";
  EXPECT_NE(prepared.output.find(json[0].at("text_sha256").get<std::string>()), std::string::npos);
}

TEST_F(CorpusCommand, APackTrainsWithoutNetworkAsTheNameDoesWithIt) {
  const std::string pack = run_.folder / "words.pack";
  ASSERT_EQ(call({"corpus", "prepare", "words", "-o", pack, "--vocabulary", "300"}).exit_code, 0);
  const ProcessResult by_name = call(training("words", "name.h5"));
  ASSERT_EQ(by_name.exit_code, 0) << by_name.errors;
  archive_->lose_packages();
  const ProcessResult by_pack = call(training(pack, "pack.h5"), "another-cache");
  ASSERT_EQ(by_pack.exit_code, 0) << by_pack.errors;

  const nlohmann::json data = data_of("pack.h5");
  EXPECT_EQ(data, data_of("name.h5"));
  EXPECT_EQ(data.at("corpus").at("source"), "words");
  EXPECT_EQ(data.at("corpus").at("packages")[0].at("version"), "1.0");
  const auto losses = [&](const std::string& recording) {
    return call({"table", run_.folder / recording, "--channel", "evaluation"}).output;
  };
  EXPECT_FALSE(losses("pack.h5").empty());
  EXPECT_EQ(losses("pack.h5"), losses("name.h5"));
}

TEST_F(CorpusCommand, ATextThatIsNotTheExpectedOneIsSaidAndRecorded) {
  run_.folder.write("assets/corpora/words.toml", "sha256 = \"0123456789abcdef\"\n" + std::string(kCorpus));
  const ProcessResult run = call(training("words", "run.h5"));
  ASSERT_EQ(run.exit_code, 0) << run.errors;
  const std::string sentence = "The text of the corpus words is not the one that its corpus file describes";
  EXPECT_NE(run.errors.find(sentence), std::string::npos) << run.errors;
  const ProcessResult info = call({"info", run_.folder / "run.h5"});
  EXPECT_NE(info.output.find("warning     " + sentence), std::string::npos) << info.output;
  EXPECT_NE(call({"corpus", "list"}).output.find("warning   " + sentence), std::string::npos);
}

TEST_F(CorpusCommand, WhatCannotBeUsedIsRefusedInOneSentence) {
  const std::string pack = run_.folder / "words.pack";
  expect_refused(call({"corpus", "prepare", "wrods", "-o", pack}), 3, "the named corpora are: words");
  expect_refused(call(training("wrods", "a.h5")), 3, "the named corpora are: words");
  expect_refused(call({"corpus", "prepare", "words", "-o", pack, "--vocabulary", "7"}), 2, "257");
  expect_refused(call({"corpus", "prepare", "words", "-o", run_.folder / "no/folder/words.pack"}), 3,
                 "no/folder");
  ASSERT_EQ(call({"corpus", "prepare", "words", "-o", pack, "--vocabulary", "300"}).exit_code, 0);
  expect_refused(call({"corpus", "prepare", "words", "-o", pack}), 3, "exists already");

  std::filesystem::resize_file(pack, std::filesystem::file_size(pack) - 1000);
  expect_refused(call(training(pack, "a.h5")), 3, "cut off or damaged");
  expect_refused(call(training(run_.folder.write("foreign.pack", std::string(4096, '\0')), "a.h5")), 3,
                 "foreign.pack");
  std::filesystem::remove_all(run_.folder / "cache");
  archive_->lose_network();
  expect_refused(call(training("words", "a.h5")), 1, "check the network");
  run_.folder.write("assets/corpora/words.toml", "title = 7\n");
  expect_refused(call({"corpus", "list"}), 3, "words.toml, line 1: title is a text in quotes");
  EXPECT_FALSE(std::filesystem::exists(run_.folder / "a.h5"));
}

}  // namespace
}  // namespace sparsescope::test
