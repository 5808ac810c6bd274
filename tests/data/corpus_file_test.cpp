// Corpus files: those that ship are whole, and what could reach outside its place is refused by file and
// line.
#include "engine/data/corpus_file.h"

#include <gtest/gtest.h>

#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

constexpr const char* kWhole = R"(title = "Words"
text = "For tests."
licence = "free"
source = "made up"
approximate_bytes = 1000
repeated_lines = "removed"

[[package]]
name = "tiny-text"
version = "1.0"
files = ["usr/share/tiny/*.html"]
format = "html"
)";

class CorpusFileReading : public DataFolder {
 protected:
  CorpusFile read(const std::string& text, const std::string& name = "words.toml") const {
    return read_corpus_file(write(name, text));
  }
  // The whole file with `from` replaced by `to`.
  std::string refused_with(const std::string& from, const std::string& to) const {
    std::string text = kWhole;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return refusal([&] { read(text.replace(at, from.size(), to)); });
  }
};

TEST_F(CorpusFileReading, ThoseThatShipAreWhole) {
  EXPECT_EQ(corpus_names(), (std::vector<std::string>{"french", "headers", "math"}));
  for (const std::string& name : corpus_names()) {
    const std::optional<CorpusFile> file = find_corpus_file(name);
    ASSERT_TRUE(file.has_value()) << name;
    EXPECT_GT(file->approximate_bytes, 1'000'000) << name;
    EXPECT_EQ(file->is_installed(), name == "headers");
    if (file->is_installed()) continue;
    EXPECT_EQ(file->sha256.size(), 64u) << name;
    EXPECT_GT(file->download_bytes, 1'000'000) << name;
    for (const PackageText& package : file->packages)
      EXPECT_FALSE(package.version.empty()) << package.package;
  }
  EXPECT_FALSE(find_corpus_file("haeders").has_value());
  EXPECT_FALSE(find_corpus_file("../corpora/french").has_value());
}

TEST_F(CorpusFileReading, WhatAFileSaysIsRead) {
  const CorpusFile file = read(kWhole);
  EXPECT_EQ(file.name, "words");
  EXPECT_EQ(file.repeated_lines, RepeatedLines::Removed);
  ASSERT_EQ(file.packages.size(), 1u);
  EXPECT_EQ(file.packages[0].package, "tiny-text");
  EXPECT_EQ(file.packages[0].format, TextFormat::Html);
}

TEST_F(CorpusFileReading, TheDefinitionIsWhatTheTextDependsOn) {
  const std::string plain = read(kWhole).definition;
  EXPECT_EQ(read("sha256 = \"0\"\n" + std::string(kWhole)).definition, plain);
  EXPECT_NE(read("drop_lines = [\"x\"]\n" + std::string(kWhole)).definition, plain);
  EXPECT_NE(read(std::string(kWhole) + "skip = [\"pre\"]\n").definition, plain);
  EXPECT_NE(read(std::string(kWhole) + "keep = [\"pre\"]\n").definition, plain);
}

TEST_F(CorpusFileReading, PathsThatLeaveTheirPlaceAreRefused) {
  for (const char* path : {"/etc/passwd", "../../etc/passwd", "usr/../../etc/*", ""})
    EXPECT_NE(refused_with("usr/share/tiny/*.html", path).find("not a path inside a package"),
              std::string::npos);
  for (const char* name : {"-o=Dir=/x", "a b", "../x", "x/y", ""})
    EXPECT_NE(refused_with("tiny-text", name).find("words.toml, line"), std::string::npos) << name;
  const std::string head = std::string(kWhole).substr(0, std::string(kWhole).find("repeated_lines"));
  for (const char* folder : {"usr/include", "/usr/../etc"}) {
    const std::string text = head + "[installed]\nfolder = \"" + folder + "\"\nextensions = [\".h\"]\n";
    EXPECT_NE(refusal([&] { read(text); }).find("not an absolute path"), std::string::npos) << folder;
  }
  EXPECT_NE(refusal([&] { read(kWhole, "a b.toml"); }).find("letters, digits"), std::string::npos);
}

TEST_F(CorpusFileReading, WhatDoesNotFitIsNamedWithItsLine) {
  EXPECT_NE(refused_with("format = \"html\"", "format = \"pdf\"")
                .find("line 12: format 'pdf' is unknown; there are: "
                      "html, man, metamath, plain"),
            std::string::npos);
  EXPECT_NE(refused_with("title", "titel").find("title is missing"), std::string::npos);
  EXPECT_NE(refused_with("version", "versoin").find("no key 'versoin'"), std::string::npos);
  EXPECT_NE(refused_with("1000", "\"many\"").find("line 5: approximate_bytes"), std::string::npos);
  EXPECT_NE(refused_with("[\"usr/share/tiny/*.html\"]", "[]").find("files is a list"), std::string::npos);
  EXPECT_NE(refused_with("[\"usr/share/tiny/*.html\"]", "[7]").find("files is a list"), std::string::npos);
  EXPECT_NE(refused_with("[[package]]", "[package]").find("[[package]]"), std::string::npos);
  EXPECT_NE(refused_with("[[package]]", "[[packages]]").find("either"), std::string::npos);
  EXPECT_NE(refused_with("title =", "title").find("this is not TOML"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::data
