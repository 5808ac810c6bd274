// Tokenizers lose nothing, whatever the bytes; training is deterministic; words cover their text.
#include "engine/data/tokenizer.h"

#include <algorithm>
#include <cstdio>

#include "engine/data/words.h"
#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

TokenizerPtr small_bpe() {
  static const TokenizerPtr tokenizer = [] {
    const std::string text = made_up_text(1, 4000);
    return train_bpe({text}, 400);
  }();
  return tokenizer;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for_each_word(text, [&words](std::string_view word) { words.emplace_back(word); });
  return words;
}

void expect_survives(const Tokenizer& tokenizer, const std::string& bytes) {
  const std::vector<std::int32_t> ids = tokenizer.encode(bytes);
  EXPECT_EQ(tokenizer.decode(ids), bytes);
  for (std::int32_t id : ids) ASSERT_TRUE(id >= 0 && id < tokenizer.vocabulary());
}

std::vector<std::string> hard_cases() {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  return {"",
          all_bytes,
          std::string(5000, ' '),
          std::string(5000, 'a'),
          std::string(5000, '\n'),
          std::string(1000, '\0'),
          "  two leading and two trailing  ",
          "\ttabs\t\tand\r\nline ends\r\n\r\n",
          "\xe2\x96\x81 the sign that the library puts for a space",
          "caf\xc3\xa9 na\xc3\xafve \xf0\x9f\x8e\x89 \xe6\x97\xa5\xe6\x9c\xac",
          "latin-1: caf\xe9, na\xefve",
          "<unk> <s> </s> <end> <0x41>",
          "int main(int argc, char** argv) {\n        return argc > 1 ? 1234567 : 0x1fULL;\n}\n"};
}

TEST(Words, JoinedAreTheirTextAndAreNeverEmptyOrLong) {
  std::vector<std::string> texts = hard_cases();
  for (std::uint64_t seed = 0; seed < 20; ++seed) texts.push_back(random_bytes(seed, 3000));
  for (const std::string& text : texts) {
    std::string joined;
    for (const std::string& word : words_of(text)) {
      EXPECT_TRUE(!word.empty() && word.size() <= kLongestWord);
      joined += word;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(Words, KeepASpaceWithTheWordAfterIt) {
  EXPECT_EQ(words_of("the cat_2 sat"), (std::vector<std::string>{"the", " cat_", "2", " sat"}));
  EXPECT_EQ(words_of("if (x12345)"), (std::vector<std::string>{"if", " (", "x", "123", "45", ")"}));
  EXPECT_EQ(words_of("{\n    return;\n}"),
            (std::vector<std::string>{"{", "\n   ", " return", ";", "\n", "}"}));
  EXPECT_EQ(words_of("a  "), (std::vector<std::string>{"a", "  "}));
  EXPECT_EQ(words_of(" "), (std::vector<std::string>{" "}));
}

TEST(BpeTokenizer, EncodesAnyBytesWithoutLoss) {
  for (const std::string& text : hard_cases()) expect_survives(*small_bpe(), text);
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    expect_survives(*small_bpe(), random_bytes(seed, 1 + 37 * seed));
  for (int byte = 0; byte < 256; ++byte)
    expect_survives(*small_bpe(), std::string(1, static_cast<char>(byte)));
}

TEST(BpeTokenizer, HasAllBytesAndNeverWritesTheEndOfADocument) {
  const Tokenizer& tokenizer = *small_bpe();
  EXPECT_EQ(tokenizer.vocabulary(), 400);
  EXPECT_EQ(tokenizer.piece_bytes(tokenizer.end_of_document()), "");
  EXPECT_EQ(tokenizer.piece_text(tokenizer.end_of_document()), "<end>");
  std::string bytes;
  for (std::int32_t id = 1; id < 400; ++id) {
    EXPECT_FALSE(tokenizer.piece_bytes(id).empty());
    if (tokenizer.piece_bytes(id).size() == 1) bytes += tokenizer.piece_bytes(id);
  }
  EXPECT_EQ(bytes.size(), 256u);
  for (const std::string& text : hard_cases()) {
    const std::vector<std::int32_t> ids = tokenizer.encode(text);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer.end_of_document()), 0);
    EXPECT_EQ(tokenizer.text_bytes(ids), static_cast<std::int64_t>(text.size()));
  }
}

TEST(BpeTokenizer, WritesItsOwnTextInFewerIdsThanBytes) {
  const std::string text = made_up_text(2, 1000);
  EXPECT_LT(small_bpe()->encode(text).size() * 2, text.size());
}

TEST(BpeTokenizer, TrainsTheSameTwiceAndInAnyOrderOfDocuments) {
  const std::string first = made_up_text(3, 2000), second = made_up_text(4, 2000);
  const std::string model = train_bpe({first, second}, 500)->serialized();
  EXPECT_EQ(train_bpe({first, second}, 500)->serialized(), model);
  EXPECT_EQ(train_bpe({second, first}, 500)->serialized(), model);
  EXPECT_NE(train_bpe({first}, 500)->serialized(), model);
}

TEST(BpeTokenizer, IsRebuiltFromWhatItSerializes) {
  const TokenizerPtr rebuilt = bpe_from_serialized(small_bpe()->serialized());
  const std::string text = made_up_text(5, 500);
  EXPECT_EQ(rebuilt->encode(text), small_bpe()->encode(text));
  EXPECT_EQ(rebuilt->vocabulary(), small_bpe()->vocabulary());
  EXPECT_THROW(bpe_from_serialized(""), Error);
  EXPECT_THROW(bpe_from_serialized("not a model at all"), Error);
}

TEST(BpeTokenizer, ASmallTextGivesASmallVocabularyInsteadOfFailing) {
  const TokenizerPtr tokenizer = train_bpe({"abab abab"}, 4096);
  EXPECT_GE(tokenizer->vocabulary(), 258);
  EXPECT_LT(tokenizer->vocabulary(), 300);
  expect_survives(*tokenizer, "abab abab zebra \xff");
  EXPECT_EQ(train_bpe({""}, 257)->vocabulary(), 257);
}

TEST(BpeTokenizer, TrainingWritesNothingToTheConsole) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  train_bpe({made_up_text(6, 500)}, 300)->encode("some text");
  EXPECT_THROW(bpe_from_serialized("broken"), Error);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(ByteTokenizer, HasOneIdPerByte) {
  const TokenizerPtr tokenizer = byte_tokenizer();
  EXPECT_EQ(tokenizer->vocabulary(), 256);
  EXPECT_EQ(tokenizer->encode("A\xff"), (std::vector<std::int32_t>{65, 255}));
  for (const std::string& text : hard_cases()) expect_survives(*tokenizer, text);
  EXPECT_EQ(tokenizer->text_bytes(std::vector<std::int32_t>{65, 0, 66}), 2)
      << "the end of a document is no text";
}

TEST(Tokenizer, ShowsPiecesAsPrintableText) {
  const TokenizerPtr tokenizer = byte_tokenizer();
  EXPECT_EQ(tokenizer->piece_text('\n'), "\\n");
  EXPECT_EQ(tokenizer->piece_text('a'), "a");
  EXPECT_EQ(tokenizer->piece_text(0xe9), "\\xe9");
  const TokenizerPtr bpe = train_bpe({"\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9"}, 300);
  bool has_letter = false;
  for (std::int32_t id = 0; id < bpe->vocabulary(); ++id)
    has_letter = has_letter || bpe->piece_text(id) == "\xc3\xa9";
  EXPECT_TRUE(has_letter);
}

}  // namespace
}  // namespace sparsescope::data
