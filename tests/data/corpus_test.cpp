// Corpora from files, folders, globs and names, and one clear sentence for each thing that can be wrong with
// them.
#include "engine/data/corpus.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

class CorpusFiles : public DataFolder {
 protected:
  Corpus load(std::vector<std::string> sources, std::int64_t max_bytes = 1 << 20) const {
    return load_corpus({std::move(sources), max_bytes, 0.05});
  }
  std::string refused(std::vector<std::string> sources) const {
    return refusal([&] { load(sources); });
  }
  void write_many(const std::string& prefix, int count) const {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(100 + i).substr(1);
      write(prefix + number + ".txt",
            "file " + number + "\n" + made_up_text(static_cast<std::uint64_t>(i), 60));
    }
  }
};

TEST_F(CorpusFiles, TwentyFilesAreTwentyDocumentsInTheOrderOfTheirPaths) {
  write_many("b/", 15);
  write_many("a/deep/", 15);
  const Corpus corpus = load({folder_});
  EXPECT_EQ(corpus.facts.rule, DocumentRule::Files);
  EXPECT_EQ(corpus.facts.files, 30);
  ASSERT_EQ(corpus.documents.size(), 30u);
  EXPECT_TRUE(corpus.text(corpus.documents[0]).starts_with("file 00"));
  EXPECT_TRUE(corpus.text(corpus.documents[14]).starts_with("file 14"));
  EXPECT_TRUE(corpus.text(corpus.documents[15]).starts_with("file 00"));
  EXPECT_EQ(load({folder_}).facts.sha256, corpus.facts.sha256);
}

TEST_F(CorpusFiles, FewerFilesAreCutAtBlankLines) {
  std::string text;
  for (std::uint64_t i = 0; i < 12; ++i) text += made_up_text(i, 30) + "\n\n\n";
  const Corpus corpus = load({write("one.txt", text), write("two.txt", text + "another block")});
  EXPECT_EQ(corpus.facts.rule, DocumentRule::Blocks);
  EXPECT_EQ(corpus.facts.files, 2);
  EXPECT_EQ(corpus.documents.size(), 25u);
  EXPECT_EQ(corpus.facts.source, "one.txt, two.txt");
}

TEST_F(CorpusFiles, FewerBlocksAreOneStreamWhoseEndIsHeldOut) {
  const std::string text = made_up_text(1, 1000);
  const Corpus corpus = load({write("one.txt", text)});
  EXPECT_EQ(corpus.facts.rule, DocumentRule::Stream);
  EXPECT_EQ(corpus.bytes, text);
  ASSERT_EQ(corpus.documents.size(), 2u);
  EXPECT_EQ(corpus.documents[1].split, Split::Validation);
  EXPECT_NEAR(static_cast<double>(corpus.facts.validation_bytes), 0.05 * static_cast<double>(text.size()), 3);
}

TEST_F(CorpusFiles, AGlobAFolderAndAListOfFilesGiveTheSameText) {
  write_many("x/", 25);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/x")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  const std::string hash = load({folder_}).facts.sha256;
  EXPECT_EQ(load({folder_ + "/x/*.txt"}).facts.sha256, hash);
  EXPECT_EQ(load({folder_ + "/*"}).facts.sha256, hash) << "a folder that a glob matches is searched";
  EXPECT_EQ(load(files).facts.sha256, hash);
  EXPECT_EQ(load({folder_, folder_ + "/x/0*.txt"}).facts.sha256, hash) << "no file counts twice";
}

TEST_F(CorpusFiles, WhatIsRecordedNamesNoFolderOfTheMachine) {
  write_many("texts/", 25);
  for (const std::string& source :
       {folder_ + "/texts", folder_ + "/texts/", folder_ + "/texts/*.txt", folder_ + "/texts/../texts/."}) {
    const CorpusFacts facts = load({source}).facts;
    EXPECT_EQ(to_json(facts).find(folder_), std::string::npos) << source;
    EXPECT_EQ(describe(facts).find('/'), std::string::npos) << source;
  }
  EXPECT_EQ(load({folder_ + "/texts/"}).facts.source, "texts");
  EXPECT_EQ(load({folder_ + "/texts/*.txt"}).facts.source, "*.txt");
  const Corpus odd = load({write("caf\xe9\n.txt", made_up_text(1, 200))});
  EXPECT_EQ(odd.facts.source, "caf??.txt") << "names may be any bytes, records are UTF-8";
  const auto json = nlohmann::json::parse(to_json(load({folder_ + "/texts"}).facts));
  EXPECT_EQ(json.at("document_rule"), "files");
  EXPECT_EQ(json.at("files"), 25);
}

TEST_F(CorpusFiles, HiddenEmptyBinaryAndRepeatedFilesInFoldersAreLeftOut) {
  write_many("", 25);
  const Corpus plain = load({folder_});
  write(".hidden.txt", "hidden");
  write(".git/config", "hidden");
  write("empty.txt", "");
  write("image.png", std::string("\x89PNG\r\n\x1a\n\0\0", 10));
  std::filesystem::create_symlink(folder_ + "/00.txt", folder_ + "/zz-link.txt");
  const Corpus corpus = load({folder_});
  EXPECT_EQ(corpus.facts.sha256, plain.facts.sha256);
  EXPECT_EQ(corpus.facts.files, 25);
  EXPECT_EQ(corpus.facts.files_skipped, 3);
}

TEST_F(CorpusFiles, Utf8AndLatin1AreText) {
  const std::string utf8 = "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x89 ";
  const std::string latin1 = "caf\xe9 na\xefve \x93quoted\x94 ";
  for (const std::string& part : {utf8, latin1}) {
    std::string text;
    for (int i = 0; i < 50; ++i) text += part;
    EXPECT_EQ(load({write("text", text)}).bytes, text);
  }
}

TEST_F(CorpusFiles, ALargeCorpusIsSampledAlongItsWholeLength) {
  write_many("", 60);
  const Corpus whole = load({folder_});
  const Corpus sample = load({folder_}, whole.facts.bytes / 3);
  EXPECT_LE(sample.facts.bytes, whole.facts.bytes / 3);
  EXPECT_GT(sample.facts.bytes, whole.facts.bytes / 5);
  EXPECT_EQ(sample.facts.offered_bytes, whole.facts.bytes);
  EXPECT_TRUE(sample.text(sample.documents.front()).starts_with("file 0"));
  EXPECT_TRUE(sample.text(sample.documents.back()).starts_with("file 5"));

  const std::string stream = made_up_text(1, 5000);
  const Corpus beginning = load({write("stream/one.txt", stream)}, 10000);
  EXPECT_EQ(beginning.bytes, stream.substr(0, beginning.bytes.size()));
  EXPECT_GE(beginning.bytes.size(), 9996u);
}

TEST_F(CorpusFiles, ANamedCorpusTakesItsKindsOfFilesFromItsFolder) {
  for (int i = 0; i < 30; ++i) {
    write("lib" + std::to_string(i) + "/some.h", made_up_text(static_cast<std::uint64_t>(i), 40));
    write("lib" + std::to_string(i) + "/notes.md", "not a header");
  }
  write("vector", "// a header without an ending");
  const NamedCorpus named = {"mine", folder_, {".h", ""}};
  const Corpus corpus = load_named_corpus(named, {{}, 1 << 20, 0.05});
  EXPECT_EQ(corpus.facts.files, 31);
  EXPECT_EQ(corpus.facts.source, "mine");
  const NamedCorpus missing = {"mine", folder_ + "/none", {".h"}};
  EXPECT_NE(refusal([&] {
              load_named_corpus(missing, {{}, 1 << 20, 0.05});
            }).find("finds no files"),
            std::string::npos);
}

TEST_F(CorpusFiles, WhatIsNotThereIsNamed) {
  EXPECT_EQ(refused({folder_ + "/none.txt"}),
            "there is no file or folder '" + folder_ + "/none.txt'; check the path");
  EXPECT_EQ(refused({folder_ + "/*.none"}),
            "nothing matches '" + folder_ + "/*.none'; check the pattern, or name a file or a folder");
  EXPECT_EQ(refused({"haeders"}),
            "there is no corpus 'haeders': it is no file and no folder here, and the named corpora are: "
            "french, headers, math");
  EXPECT_NE(refused({write("some.txt", "text"), "headers"}).find("cannot be mixed"), std::string::npos);
  EXPECT_NE(refused({}).find("no corpus was named"), std::string::npos);
}

TEST_F(CorpusFiles, WhatHoldsNoTextIsRefused) {
  std::filesystem::create_directories(folder_ + "/empty");
  EXPECT_NE(refused({folder_ + "/empty"}).find("there is no text in empty"), std::string::npos);
  EXPECT_NE(refused({write("nothing.txt", "")}).find("is empty"), std::string::npos);
  EXPECT_NE(refused({write("blank.txt", " \n\n\t\n")}).find("nothing but white space"), std::string::npos);
  EXPECT_NE(refused({"/dev/zero"}).find("neither a file nor a folder"), std::string::npos);
  EXPECT_NE(refused({write("one-byte.txt", "a")}).find("only 1 byte"), std::string::npos);
}

TEST_F(CorpusFiles, BinaryFilesAreRefusedByName) {
  const std::string nul = write("nul.bin", std::string("text\0text", 9));
  EXPECT_EQ(refused({nul}),
            "'" + nul +
                "' is not text: it holds a NUL byte at offset 4 (text in UTF-16 must be converted to UTF-8); "
                "name a text file");
  std::string noise = random_bytes(1, 4000);
  std::erase(noise, '\0');
  EXPECT_NE(refused({write("noise.bin", noise)}).find("control characters"), std::string::npos);
  EXPECT_NE(refused({write("late.bin", std::string(100000, 'a') + '\0')}).find("offset 100000"),
            std::string::npos);
  EXPECT_NE(refused({folder_ + "/no*"}).find("are binary"), std::string::npos);
  std::filesystem::remove(folder_ + "/late.bin");
  EXPECT_NE(refused({folder_}).find("are binary"), std::string::npos);
}

TEST_F(CorpusFiles, WhatMayNotBeReadIsRefusedForAnUnprivilegedUser) {
  const std::string secret = write("open/secret.txt", made_up_text(1, 100));
  ASSERT_EQ(::chmod(secret.c_str(), 0), 0);
  const auto as_nobody = [this](const std::string& source) {
    return refusal_for_nobody([&] { load({source}); });
  };
  EXPECT_EQ(as_nobody(secret),
            "cannot read '" + secret + "': Permission denied; check its permissions or leave it out");
  EXPECT_NE(as_nobody(folder_ + "/open").find("secret.txt': Permission denied"), std::string::npos);
  write("closed/text.txt", made_up_text(1, 100));
  ASSERT_EQ(::chmod((folder_ + "/closed").c_str(), 0), 0);
  EXPECT_EQ(as_nobody(folder_ + "/closed"),
            "cannot read the folder '" + folder_ + "/closed': Permission denied; check its permissions");
  EXPECT_NE(as_nobody(folder_ + "/closed/text.txt").find("Permission denied"), std::string::npos);
  EXPECT_NE(as_nobody(folder_ + "/closed/*").find("Permission denied"), std::string::npos);
  EXPECT_NE(as_nobody(folder_ + "/*/text*").find("a folder on the way cannot be read"), std::string::npos);
  ::chmod((folder_ + "/closed").c_str(), 0755);
}

TEST_F(CorpusFiles, ReadingCanBeCancelled) {
  write_many("", 25);
  Task task;
  task.cancelled = [] { return true; };
  EXPECT_THROW(load_corpus({{folder_}, 1 << 20, 0.05}, task), Cancelled);
}

}  // namespace
}  // namespace sparsescope::data
