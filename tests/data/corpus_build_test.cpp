// Named corpora from packages, by apt-get and dpkg-deb on a tiny archive of our own; what can go wrong on the
// way, each with one sentence and nothing left behind.
#include "engine/data/corpus_build.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <atomic>
#include <cstring>
#include <map>
#include <optional>

#include "engine/data/prepare.h"
#include "tests/data/support.h"
#include "tests/support/local_archive.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

// Thirty pages that share a footer, a folder of links that leave the package, and a plain text.
std::map<std::string, std::string> pages() {
  std::map<std::string, std::string> files;
  for (std::uint64_t i = 0; i < 30; ++i) {
    files["usr/share/tiny/page" + std::to_string(10 + i) + ".html"] =
        "<html><body><div id=menu>menu</div><p>" + made_up_text(i, 120) +
        "</p><p>The same footer.</p></body></html>";
  }
  files["usr/share/tiny/link.html@"] = "/etc/passwd";
  files["usr/share/tiny/folder@"] = "/etc";
  files["usr/share/tiny/other.txt"] = "not asked for";
  return files;
}

constexpr const char* kCorpus = R"(title = "Words"
text = "For tests."
licence = "free"
source = "made up"
approximate_bytes = 1000
repeated_lines = "removed"

[[package]]
name = "tiny-text"
version = "1.0"
files = ["usr/share/tiny/*"]
without = ["*.txt"]
format = "html"
skip = ["#menu"]
)";

class CorpusBuild : public DataFolder {
 protected:
  void SetUp() override {
    DataFolder::SetUp();
    fs::create_directories(folder_ + "/archive");
    archive_.emplace(folder_ + "/archive");
    ::setenv("APT_CONFIG", archive_->settings().c_str(), 1);
    ::setenv("SPARSESCOPE_ASSETS", (folder_ + "/assets").c_str(), 1);
    archive_->add("tiny-text", "1.0", pages());
    if (!archive_->publish()) GTEST_SKIP() << "apt-get or dpkg-deb is not here";
    write("assets/corpora/words.toml", kCorpus);
  }
  void TearDown() override {
    ::unsetenv("APT_CONFIG");
    ::unsetenv("SPARSESCOPE_ASSETS");
    fs::remove_all(cache());
    DataFolder::TearDown();
  }

  CorpusFile file() const { return *find_corpus_file("words"); }
  void change(const std::string& from, const std::string& to) const {
    std::string text = kCorpus;
    text.replace(text.find(from), from.size(), to);
    write("assets/corpora/words.toml", text);
  }
  // Nothing but finished entries and the lock.
  void expect_nothing_half_made() const {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(cache() + "/corpora", error)) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(name == "lock" || name.ends_with(".corpus")) << name;
    }
  }
  std::string build_refusal() const {
    const std::string sentence = refusal([&] { build_corpus(file(), {}); });
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    expect_nothing_half_made();
    return sentence;
  }

  std::optional<test::LocalArchive> archive_;
};

TEST_F(CorpusBuild, PackagesBecomeDocumentsOnce) {
  std::vector<std::string> said;
  const BuiltCorpus built = build_corpus(file(), {.progress = [&](const std::string& text, double fraction) {
                                           EXPECT_LE(fraction, 1.0);
                                           if (said.empty() || said.back() != text) said.push_back(text);
                                         }});
  EXPECT_EQ(said, (std::vector<std::string>{"words: fetching tiny-text", "words: reading tiny-text"}));
  EXPECT_EQ(built.cache_note, "");
  EXPECT_EQ(built.pack.files, 30);
  EXPECT_EQ(built.pack.ends.size(), 30u);
  EXPECT_EQ(built.pack.rule, DocumentRule::Files);
  ASSERT_EQ(built.pack.packages.size(), 1u);
  EXPECT_EQ(built.pack.packages[0].version, "1.0");
  for (const char* absent : {"menu", "<p>", "root:", "not asked for"})
    EXPECT_EQ(built.pack.text.find(absent), std::string::npos) << absent;
  EXPECT_NE(built.pack.text.find("The same footer."), std::string::npos);
  EXPECT_EQ(built.pack.text.find("The same footer."), built.pack.text.rfind("The same footer."));
  expect_nothing_half_made();

  archive_->lose_packages();
  EXPECT_EQ(build_corpus(file(), {}).pack.text_sha256(), built.pack.text_sha256()) << "from the cache";
  change("\"#menu\"", "\"#menu\", \"b\"");
  EXPECT_FALSE(find_built(file()).has_value()) << "another definition is another corpus";
}

TEST_F(CorpusBuild, ARunTakesItByNameAndSaysWhereItIsFrom) {
  const experiments::DataConfig config{.corpus = "words", .vocabulary = 300};
  const PreparedData data = prepare(config, {}, 16);
  EXPECT_EQ(data.corpus.source, "words");
  EXPECT_TRUE(data.warnings.empty());
  const std::string words = describe(data.corpus);
  EXPECT_NE(words.find("tiny-text 1.0"), std::string::npos) << words;
  EXPECT_NE(words.find(data.corpus.text_sha256), std::string::npos) << words;
  EXPECT_NE(to_json(data).find("\"packages\":[{\"name\":\"tiny-text\",\"version\":\"1.0\"}]"),
            std::string::npos);
}

TEST_F(CorpusBuild, APackedCorpusGivesTheSameTokensAndHash) {
  const std::string path = folder_ + "/words.pack";
  const PackedFile packed = write_packed_corpus("words", {300, 280}, path, {});
  const experiments::DataConfig config{.corpus = "words", .vocabulary = 300};
  const PreparedData built = prepare(config, {}, 16);
  // A machine with neither packages nor anything prepared.
  archive_->lose_packages();
  fs::remove_all(cache());
  std::vector<std::string> said;
  const PreparedData unpacked = prepare(
      config, {path}, 16, {.progress = [&](const std::string& text, double) { said.push_back(text); }});
  EXPECT_EQ(unpacked.corpus.sha256, built.corpus.sha256);
  EXPECT_EQ(unpacked.corpus.source, "words");
  EXPECT_EQ(unpacked.tokenizer->serialized(), built.tokenizer->serialized());
  EXPECT_EQ(unpacked.train.ids, built.train.ids);
  EXPECT_EQ(unpacked.validation.ids, built.validation.ids);
  EXPECT_EQ(to_json(unpacked), to_json(built));
  EXPECT_EQ(std::count(said.begin(), said.end(), "training the tokenizer"), 0) << "it came along";
  ASSERT_EQ(packed.tokens.size(), 2u);
  EXPECT_EQ(packed.tokens[0].train, static_cast<std::int64_t>(built.train.ids.size()));
  EXPECT_NE(refusal([&] { write_packed_corpus("words", {300}, path, {}); }).find("exists already"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { write_packed_corpus("wrods", {300}, path + "2", {}); }).find("named corpora are: words"),
      std::string::npos);
}

TEST_F(CorpusBuild, InstalledFilesArePackedAsTheSampleThatARunTakes) {
  for (std::uint64_t i = 0; i < 40; ++i) write("code/" + std::to_string(i) + ".h", made_up_text(i, 200));
  const std::string text = kCorpus;
  write("assets/corpora/code.toml", text.substr(0, text.find("repeated")) +
                                        "max_bytes = 20000\n[installed]\nfolder = \"" + folder_ +
                                        "/code\"\nextensions = [\".h\"]\n");
  const std::string path = folder_ + "/code.pack";
  write_packed_corpus("code", {300}, path, {});
  const experiments::DataConfig config{.corpus = "code", .vocabulary = 300};
  const PreparedData by_name = prepare(config, {}, 16);
  fs::remove_all(folder_ + "/code");
  const PreparedData by_pack = prepare(config, {path}, 16);
  EXPECT_LE(by_name.corpus.bytes, 20000);
  EXPECT_GT(by_name.corpus.offered_bytes, 20000);
  EXPECT_EQ(by_pack.corpus.sha256, by_name.corpus.sha256);
  EXPECT_EQ(by_pack.corpus.offered_bytes, by_name.corpus.offered_bytes);
  EXPECT_EQ(by_pack.tokenizer->serialized(), by_name.tokenizer->serialized());
  EXPECT_EQ(by_pack.train.ids, by_name.train.ids);
  EXPECT_TRUE(by_pack.warnings.empty());
}

TEST_F(CorpusBuild, AnotherSplitTrainsATokenizerOfItsOwn) {
  const std::string path = folder_ + "/words.pack";
  write_packed_corpus("words", {300}, path, {});
  experiments::DataConfig config{.corpus = "words", .vocabulary = 300, .validation_fraction = 0.3};
  const PreparedData from_pack = prepare(config, {path}, 16), from_name = prepare(config, {}, 16);
  EXPECT_EQ(from_pack.tokenizer->serialized(), from_name.tokenizer->serialized());
  EXPECT_EQ(from_pack.train.ids, from_name.train.ids);
}

TEST_F(CorpusBuild, ATextThatDiffersFromTheExpectedOneIsSaidNotRefused) {
  const std::string expected = build_corpus(file(), {}).pack.text_sha256();
  change("approximate", "sha256 = \"" + expected + "\"\napproximate");
  EXPECT_EQ(unexpected_text(file(), build_corpus(file(), {}).pack), "");

  fs::remove_all(cache());
  auto files = pages();
  files["usr/share/tiny/page10.html"] = "<p>" + made_up_text(99, 120) + "</p>";
  archive_->add("tiny-text", "1.1", files);
  ASSERT_TRUE(archive_->publish());
  const PreparedData data = prepare({.corpus = "words", .vocabulary = 300}, {}, 16);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_NE(data.warnings[0].find("tiny-text is 1.1 instead of 1.0"), std::string::npos) << data.warnings[0];
  EXPECT_NE(data.warnings[0].find(expected.substr(0, 12)), std::string::npos) << data.warnings[0];
}

TEST_F(CorpusBuild, ACheckpointsTextIsComparedInWords) {
  const experiments::DataConfig config{
      .corpus = "words", .tokenizer = experiments::TokenizerKind::Bytes, .vocabulary = 256};
  const PreparedData before = prepare(config, {}, 16);
  EXPECT_EQ(text_differences(to_json(before), before), "");
  fs::remove_all(cache());
  auto files = pages();
  files["usr/share/tiny/page10.html"] = "<p>" + made_up_text(99, 120) + "</p>";
  archive_->add("tiny-text", "1.1", files);
  ASSERT_TRUE(archive_->publish());
  const std::string words = text_differences(to_json(before), prepare(config, {}, 16));
  EXPECT_NE(words.find("the text differs: tiny-text 1.0 there, 1.1 here, SHA-256 "), std::string::npos)
      << words;
}

TEST_F(CorpusBuild, APackageThatIsNotThereIsNamed) {
  change("tiny-text", "tiny-test");
  const std::string sentence = build_refusal();
  EXPECT_NE(sentence.find("the Debian package tiny-test is not in the package lists"), std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("corpus prepare"), std::string::npos) << sentence;
}

TEST_F(CorpusBuild, AServerThatLostThePackageIsSaid) {
  archive_->lose_packages();
  const std::string sentence = build_refusal();
  EXPECT_NE(sentence.find("no longer has the Debian package tiny-text"), std::string::npos) << sentence;
}

TEST_F(CorpusBuild, NoNetworkIsSaid) {
  archive_->lose_network();
  const std::string sentence = build_refusal();
  EXPECT_NE(sentence.find("the package server is not reached; check the network"), std::string::npos)
      << sentence;
}

TEST_F(CorpusBuild, APackageWithoutTheFilesIsSaid) {
  change("usr/share/tiny/*", "usr/share/huge/*");
  const std::string sentence = build_refusal();
  EXPECT_NE(sentence.find("tiny-text 1.0 holds none of the files"), std::string::npos) << sentence;
}

TEST_F(CorpusBuild, AMissingProgramIsNamed) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder_ + "/no/programs").c_str(), 1);
  const std::string sentence = build_refusal();
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_NE(sentence.find("the program apt-get is needed"), std::string::npos) << sentence;
}

TEST_F(CorpusBuild, AFullDiskIsSaid) {
  fs::create_directories(cache());
  if (::mount("tmpfs", cache().c_str(), "tmpfs", 0, "size=96k") != 0)
    GTEST_SKIP() << "mounting a small disk needs root: " << std::strerror(errno);
  const std::string sentence = refusal([&] { build_corpus(file(), {}); });
  ::umount2(cache().c_str(), MNT_DETACH);
  EXPECT_NE(sentence.find("the disk is full"), std::string::npos) << sentence;
}

TEST_F(CorpusBuild, ItCanBeCancelledAtEveryQuestionAndLeavesNothing) {
  int questions = 0;
  build_corpus(file(), {.cancelled = [&] { return ++questions, false; }});
  ASSERT_GT(questions, 10);
  for (int stop_at = 1; stop_at <= questions; stop_at += 1 + questions / 12) {
    fs::remove_all(cache());
    std::atomic<int> asked = 0;
    const Task task = {.cancelled = [&] { return ++asked >= stop_at; }};
    try {
      build_corpus(file(), task);  // how often a program is asked about depends on how long it takes
    } catch (const Cancelled&) {
      EXPECT_FALSE(find_built(file()).has_value());
    }
    expect_nothing_half_made();
  }
}

TEST_F(CorpusBuild, WhatAKilledBuildLeftIsRemoved) {
  fs::create_directories(cache() + "/corpora/.build-killed/unpacked");
  build_corpus(file(), {});
  expect_nothing_half_made();
}

class FrenchCorpus : public DataFolder {
 protected:
  void TearDown() override {
    fs::remove_all(cache());
    DataFolder::TearDown();
  }
};

TEST_F(FrenchCorpus, TheRealArchiveGivesTheTextThatIsExpectedOrSaysWhy) {
  if (std::getenv("SPARSESCOPE_NETWORK_TESTS") == nullptr)
    GTEST_SKIP() << "fetches 98 MB from the Debian archive; set SPARSESCOPE_NETWORK_TESTS=1 to run it";
  const CorpusFile french = *find_corpus_file("french");
  const BuiltCorpus built = build_corpus(french, {});
  EXPECT_GT(built.pack.text.size(), 10'000'000u);
  // What only markup says; prose about HTML mentions a tag now and then.
  for (const char* markup : {"<div", "<span", "<td", "class=\"", "&nbsp;", "\\fB"})
    EXPECT_EQ(built.pack.text.find(markup), std::string::npos) << markup;
  const std::string words = unexpected_text(french, built.pack);
  EXPECT_TRUE(words.empty() || words.find(" instead of ") != std::string::npos) << words;
}

}  // namespace
}  // namespace sparsescope::data
