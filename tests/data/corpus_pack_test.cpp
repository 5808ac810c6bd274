// Packed corpora: what is written comes back; what is cut, changed or foreign is refused in one sentence.
#include "engine/data/corpus_pack.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/data/sha256.h"
#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

PackedCorpus small_pack() {
  PackedCorpus pack;
  pack.name = "words", pack.title = "Words", pack.licence = "free", pack.source = "made up";
  pack.definition = "d", pack.packages = {{"tiny-text", "1.0-1"}, {"more", "2"}};
  pack.files = 30, pack.files_skipped = 2, pack.max_bytes = 0;
  for (std::uint64_t i = 0; i < 30; ++i) pack.add_document(made_up_text(i, 40) + "\n");
  pack.offered_bytes = static_cast<std::int64_t>(pack.text.size());
  pack.tokenizers = {{4096, std::string(64, 'a'), random_bytes(1, 300)}, {512, std::string(64, 'a'), "x"}};
  return pack;
}

std::string refusal_of(const std::string& bytes) {
  return refusal([&] { pack_from_bytes(bytes, "words.pack"); });
}

// A map of the layout with its hash made anew.
std::string with_hash(nlohmann::ordered_json map) {
  map["sha256"] = std::string(64, '0');
  const std::vector<std::uint8_t> cbor = nlohmann::ordered_json::to_cbor(map);
  std::string bytes(cbor.begin(), cbor.end());
  bytes.replace(bytes.size() - 64, 64, sha256_hex(bytes.substr(0, bytes.size() - 64)));
  return bytes;
}

TEST(CorpusPack, WhatIsWrittenComesBack) {
  const PackedCorpus pack = small_pack();
  const PackedCorpus back = pack_from_bytes(bytes_from_pack(pack), "words.pack");
  EXPECT_EQ(back.name, pack.name);
  EXPECT_EQ(back.licence, pack.licence);
  EXPECT_EQ(back.text, pack.text);
  EXPECT_EQ(back.ends, pack.ends);
  EXPECT_EQ(back.packages[1].version, "2");
  ASSERT_EQ(back.tokenizers.size(), 2u);
  for (const PackedTokenizer& tokenizer : back.tokenizers)
    EXPECT_EQ(tokenizer.model, pack.tokenizers[tokenizer.vocabulary == 4096 ? 0 : 1].model);
  EXPECT_EQ(bytes_from_pack(back).size(), bytes_from_pack(pack).size());
}

TEST(CorpusPack, ACutOrChangedFileIsRefused) {
  const std::string bytes = bytes_from_pack(small_pack());
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 7)
    EXPECT_NE(refusal_of(bytes.substr(0, length)).find("'words.pack' is"), std::string::npos);
  EXPECT_NE(refusal_of(bytes.substr(0, bytes.size() - 1)).find("cut off or damaged"), std::string::npos);
  EXPECT_NE(refusal_of(bytes + "x").find("cut off or damaged"), std::string::npos);
  for (std::size_t at = 30; at < bytes.size(); at += 97) {
    std::string changed = bytes;
    changed[at] ^= 1;
    EXPECT_NE(refusal_of(changed).find("words.pack"), std::string::npos) << at;
  }
}

TEST(CorpusPack, ForeignFilesAreRefusedEvenWithAHashOfTheirOwn) {
  EXPECT_NE(refusal_of("hello").find("is not a packed corpus"), std::string::npos);
  EXPECT_NE(refusal_of(random_bytes(7, 5000)).find("is not a packed corpus"), std::string::npos);
  EXPECT_NE(refusal_of(with_hash({{"format", "sparsescope-corpus-9"}})).find("another version"),
            std::string::npos);
  const std::string format = "sparsescope-corpus-1";
  EXPECT_NE(refusal_of(with_hash({{"format", format}})).find("damaged"), std::string::npos);
  nlohmann::ordered_json deep = nlohmann::ordered_json::array();
  for (int i = 0; i < 200; ++i) deep = nlohmann::ordered_json::array({deep});
  EXPECT_NE(refusal_of(with_hash({{"format", format}, {"text", deep}})).find("damaged"), std::string::npos);
  EXPECT_NE(refusal_of(with_hash({{"format", format}, {"text", 7}})).find("damaged"), std::string::npos);
  PackedCorpus with_nul = small_pack();
  with_nul.text[5] = '\0';
  EXPECT_NE(refusal_of(bytes_from_pack(with_nul)).find("damaged"), std::string::npos);
  // Documents that leave the text.
  const auto ends = [](std::uint64_t end) {
    std::vector<std::uint8_t> bytes(8);
    for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(end >> 8 * i);
    return nlohmann::ordered_json::binary(bytes);
  };
  for (const std::uint64_t end : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{4}, ~std::uint64_t{0}}) {
    EXPECT_NE(refusal_of(with_hash({{"format", format},
                                    {"manifest", "{}"},
                                    {"text", nlohmann::ordered_json::binary({'a', 'b', 'c'})},
                                    {"ends", ends(end)}}))
                  .find("damaged"),
              std::string::npos)
        << end;
  }
}

TEST(CorpusPack, APackIsSampledAndSplitLikeAnyText) {
  const PackedCorpus pack = small_pack();
  const Corpus whole = corpus_from_pack(pack, {.sources = {"words"}});
  EXPECT_EQ(whole.facts.bytes, static_cast<std::int64_t>(pack.text.size()));
  EXPECT_EQ(whole.documents.size(), 30u);
  EXPECT_GT(whole.facts.validation_bytes, 0);
  EXPECT_EQ(whole.facts.text_sha256, pack.text_sha256());
  const Corpus sample = corpus_from_pack(pack, {.sources = {"words"}, .max_bytes = 2000});
  EXPECT_LE(sample.facts.bytes, 2000);
  EXPECT_NE(sample.facts.sha256, whole.facts.sha256);
  EXPECT_EQ(sample.facts.text_sha256, whole.facts.text_sha256);
  const Corpus again = corpus_from_pack(pack_from_corpus(whole), {.sources = {"words"}});
  EXPECT_EQ(again.facts.sha256, whole.facts.sha256);
}

}  // namespace
}  // namespace sparsescope::data
