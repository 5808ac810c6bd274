// The rules of a corpus on made-up lists: blocks, samples, held-out documents.
#include "engine/data/documents.h"

#include <set>

#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

Corpus corpus_of(const std::vector<std::string>& texts, DocumentRule rule = DocumentRule::Files) {
  Corpus corpus;
  corpus.facts.rule = rule;
  for (const std::string& text : texts) {
    corpus.documents.push_back({corpus.bytes.size(), corpus.bytes.size() + text.size(), Split::Train});
    corpus.bytes += text;
  }
  return corpus;
}

std::uint64_t bytes_of(const std::vector<Taken>& sample) {
  std::uint64_t bytes = 0;
  for (const Taken& taken : sample) bytes += taken.bytes;
  return bytes;
}

TEST(Blocks, AreSeparatedByBlankLines) {
  EXPECT_EQ(blocks_of("a\nb\n\n\nc\n \t\r\nd"), (std::vector<std::string_view>{"a\nb", "c", "d"}));
  EXPECT_EQ(blocks_of("  indented\n\n"), (std::vector<std::string_view>{"  indented"}));
  EXPECT_EQ(blocks_of("one line"), (std::vector<std::string_view>{"one line"}));
  EXPECT_TRUE(blocks_of("").empty());
  EXPECT_TRUE(blocks_of(" \n\t\n\r\n").empty());
}

TEST(Sample, TakesEverythingThatFits) {
  const std::vector<Taken> sample = spread_sample({10, 20, 30}, 60);
  ASSERT_EQ(sample.size(), 3u);
  EXPECT_EQ(bytes_of(sample), 60u);
}

TEST(Sample, StaysWithinTheLimitAndSpansTheList) {
  Random random(1);
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> sizes(20 + random.below(500));
    for (std::uint64_t& size : sizes) size = 1 + random.below(random.below(10) == 0 ? 100000 : 1000);
    const std::uint64_t limit = 2000 + random.below(20000);
    const std::vector<Taken> sample = spread_sample(sizes, limit);
    EXPECT_LE(bytes_of(sample), limit);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      EXPECT_LE(sample[i].bytes, sizes[sample[i].index]);
      EXPECT_TRUE(i == 0 || sample[i - 1].index < sample[i].index);
    }
  }
  const std::vector<Taken> even = spread_sample(std::vector<std::uint64_t>(1000, 100), 25000);
  ASSERT_EQ(even.size(), 250u);
  for (std::size_t i = 0; i < even.size(); ++i) EXPECT_EQ(even[i].index, 4 * i + 3);
}

TEST(Sample, CutsLongDocumentsSoThatNoneStandsForAll) {
  std::vector<std::uint64_t> sizes(1000, 100);
  sizes[500] = 1000000;
  for (const Taken& taken : spread_sample(sizes, 20000)) EXPECT_LE(taken.bytes, 100u);
  const std::vector<Taken> few = spread_sample(std::vector<std::uint64_t>(20, 1000000), 20000);
  EXPECT_GE(few.size(), 10u) << "few documents share the limit by their beginnings";
  EXPECT_GE(bytes_of(few), 10000u);
}

TEST(Sample, HandlesSizesBeyond64BitProducts) {
  const std::vector<Taken> sample =
      spread_sample(std::vector<std::uint64_t>(30, std::uint64_t{1} << 40), 1000000000);
  EXPECT_LE(bytes_of(sample), 1000000000u);
  EXPECT_FALSE(sample.empty());
}

TEST(CutCharacter, IsDroppedAndAWholeOneIsKept) {
  EXPECT_EQ(without_cut_character("abc"), "abc");
  EXPECT_EQ(without_cut_character("ab\xc3"), "ab");
  EXPECT_EQ(without_cut_character("ab\xc3\xa9"), "ab\xc3\xa9");
  EXPECT_EQ(without_cut_character("ab\xf0\x9f\x8e"), "ab");
  EXPECT_EQ(without_cut_character("ab\xf0\x9f\x8e\x89"), "ab\xf0\x9f\x8e\x89");
  EXPECT_EQ(without_cut_character(""), "");
}

TEST(HeldOut, IsCloseToTheAskedShareAndDoesNotDependOnTheOrder) {
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < 300; ++i) texts.push_back(made_up_text(i, 20 + i % 50));
  Corpus corpus = corpus_of(texts);
  hold_out(corpus, 0.05);
  const double share =
      static_cast<double>(corpus.facts.validation_bytes) / static_cast<double>(corpus.facts.bytes);
  EXPECT_NEAR(share, 0.05, 0.005);
  std::set<std::string> held;
  for (const Corpus::Document& document : corpus.documents) {
    if (document.split == Split::Validation) held.insert(std::string(corpus.text(document)));
  }
  EXPECT_EQ(static_cast<std::int64_t>(held.size()), corpus.facts.validation_documents);

  std::vector<std::string> reversed(texts.rbegin(), texts.rend());
  Corpus other = corpus_of(reversed);
  hold_out(other, 0.05);
  for (const Corpus::Document& document : other.documents) {
    EXPECT_EQ(document.split == Split::Validation, held.contains(std::string(other.text(document))));
  }
  EXPECT_NE(other.facts.sha256, corpus.facts.sha256) << "the order is part of what was trained on";
}

TEST(HeldOut, EqualDocumentsFallOnOneSide) {
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < 100; ++i) texts.push_back(made_up_text(i % 40, 50));
  for (const double fraction : {0.05, 0.2, 0.5}) {
    Corpus corpus = corpus_of(texts);
    hold_out(corpus, fraction);
    std::set<std::string_view> train, validation;
    for (const Corpus::Document& document : corpus.documents) {
      (document.split == Split::Train ? train : validation).insert(corpus.text(document));
    }
    EXPECT_FALSE(train.empty());
    EXPECT_FALSE(validation.empty());
    for (std::string_view text : validation) EXPECT_FALSE(train.contains(text));
  }
}

TEST(HeldOut, NeverTakesAllAndRefusesTextThatCannotBeSplit) {
  Corpus uneven = corpus_of({std::string(100000, 'a'), "b"});
  hold_out(uneven, 0.05);
  EXPECT_EQ(uneven.documents[0].split, Split::Train);
  EXPECT_EQ(uneven.documents[1].split, Split::Validation);
  Corpus same = corpus_of(std::vector<std::string>(30, "the same"));
  EXPECT_NE(refusal([&same] { hold_out(same, 0.05); }).find("are the same text"), std::string::npos);
}

TEST(HeldOut, OfOneStreamIsItsEndCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 501; ++i) text += "\xc3\xa9";
  Corpus corpus = corpus_of({text}, DocumentRule::Stream);
  hold_out(corpus, 0.05);
  ASSERT_EQ(corpus.documents.size(), 2u);
  EXPECT_EQ(corpus.documents[0].end, corpus.documents[1].begin);
  EXPECT_EQ(corpus.documents[1].end, text.size());
  EXPECT_EQ(corpus.documents[0].end % 2, 0u);
  EXPECT_NEAR(static_cast<double>(corpus.facts.validation_bytes), 0.05 * static_cast<double>(text.size()), 2);
  Corpus tiny = corpus_of({"a"}, DocumentRule::Stream);
  EXPECT_NE(refusal([&tiny] { hold_out(tiny, 0.05); }).find("only 1 byte"), std::string::npos);
}

TEST(CorpusHash, ChangesWithBytesBordersAndSplit) {
  const auto hash = [](const std::vector<std::string>& texts, double fraction) {
    Corpus corpus = corpus_of(texts);
    hold_out(corpus, fraction);
    return corpus.facts.sha256;
  };
  const std::vector<std::string> texts = {"alpha", "beta", "gamma", "delta"};
  EXPECT_EQ(hash(texts, 0.3), hash(texts, 0.3));
  EXPECT_NE(hash(texts, 0.3), hash({"alpha", "beta", "gamma", "deltb"}, 0.3));
  EXPECT_NE(hash(texts, 0.3), hash({"alph", "abeta", "gamma", "delta"}, 0.3));
  EXPECT_NE(hash(texts, 0.01), hash(texts, 0.5));
}

}  // namespace
}  // namespace sparsescope::data
