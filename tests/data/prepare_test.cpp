// The whole preparation: streams hold the text of their split and nothing else, and the cache changes nothing
// but time.
#include "engine/data/prepare.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/data/cache.h"
#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

class Preparation : public DataFolder {
 protected:
  void SetUp() override {
    DataFolder::SetUp();
    for (int i = 0; i < 40; ++i)
      write("text/" + std::to_string(i) + ".txt", made_up_text(static_cast<std::uint64_t>(i), 150));
    config_.vocabulary = 400;
  }
  void TearDown() override {
    std::filesystem::remove_all(cache());
    DataFolder::TearDown();
  }

  PreparedData prepare_text() {
    said_.clear();
    Task task;
    task.progress = [this](const std::string& text, double fraction) {
      EXPECT_LE(fraction, 1.0);
      said_.push_back(text);
    };
    return prepare(config_, {folder_ + "/text"}, 32, task);
  }
  bool said(const std::string& text) const {
    return std::find(said_.begin(), said_.end(), text) != said_.end();
  }

  experiments::DataConfig config_;
  std::vector<std::string> said_;
};

void expect_equal(const PreparedData& a, const PreparedData& b) {
  EXPECT_EQ(a.train.ids, b.train.ids);
  EXPECT_EQ(a.validation.ids, b.validation.ids);
  EXPECT_EQ(a.tokenizer->serialized(), b.tokenizer->serialized());
  EXPECT_EQ(to_json(a), to_json(b));
}

// The texts of one split, put together from the tokens between ends of documents.
std::vector<std::string> documents_of(const PreparedData& data, const TokenStream& stream) {
  std::vector<std::string> documents(1);
  for (std::int32_t id : stream.ids) {
    if (id == data.tokenizer->end_of_document())
      documents.emplace_back();
    else
      documents.back() += data.tokenizer->piece_bytes(id);
  }
  return documents;
}

TEST_F(Preparation, StreamsHoldTheDocumentsOfTheirSplitAndNothingElse) {
  for (const auto kind : {experiments::TokenizerKind::Bpe, experiments::TokenizerKind::Bytes}) {
    config_.tokenizer = kind;
    config_.vocabulary = kind == experiments::TokenizerKind::Bpe ? 400 : 256;
    const PreparedData data = prepare_text();
    const Corpus corpus = load_corpus({{folder_ + "/text"}, config_.max_bytes, config_.validation_fraction});
    std::vector<std::string> train, validation;
    for (const Corpus::Document& document : corpus.documents) {
      (document.split == Split::Train ? train : validation).emplace_back(corpus.text(document));
    }
    ASSERT_FALSE(validation.empty());
    EXPECT_EQ(documents_of(data, data.train), train);
    EXPECT_EQ(documents_of(data, data.validation), validation);
    EXPECT_EQ(data.train.text_bytes + data.validation.text_bytes, data.corpus.bytes);
    EXPECT_EQ(data.validation.text_bytes, data.corpus.validation_bytes);
    EXPECT_EQ(data.tokenizer->vocabulary(), config_.vocabulary);
    EXPECT_TRUE(data.notes.empty());
  }
}

TEST_F(Preparation, FromTheCacheEqualsAFreshOneAndTrainsNothing) {
  const PreparedData fresh = prepare_text();
  EXPECT_TRUE(said("training the tokenizer"));
  EXPECT_TRUE(said("encoding the text"));
  const PreparedData cached = prepare_text();
  EXPECT_FALSE(said("training the tokenizer"));
  EXPECT_FALSE(said("encoding the text"));
  expect_equal(cached, fresh);
}

TEST_F(Preparation, AChangedTextOrSettingIsNotTakenFromTheCache) {
  const PreparedData first = prepare_text();
  config_.vocabulary = 300;
  EXPECT_EQ(prepare_text().tokenizer->vocabulary(), 300);
  config_.vocabulary = 400;
  write("text/0.txt", "other text, " + made_up_text(1000, 150));
  const PreparedData changed = prepare_text();
  EXPECT_TRUE(said("training the tokenizer"));
  EXPECT_NE(changed.corpus.sha256, first.corpus.sha256);
}

TEST_F(Preparation, ADamagedCacheIsMadeAnew) {
  const PreparedData fresh = prepare_text();
  const auto damage_all = [this](auto change) {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache())) {
      if (entry.is_regular_file()) change(entry.path()), ++files;
    }
    EXPECT_EQ(files, 2);
  };
  damage_all([](const std::filesystem::path& path) {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  });
  expect_equal(prepare_text(), fresh);
  EXPECT_TRUE(said("training the tokenizer"));
  damage_all([](const std::filesystem::path& path) { std::filesystem::resize_file(path, 0); });
  expect_equal(prepare_text(), fresh);
  damage_all([](const std::filesystem::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('\x7f');
  });
  expect_equal(prepare_text(), fresh);
  EXPECT_TRUE(said("training the tokenizer"));
  prepare_text();
  EXPECT_FALSE(said("training the tokenizer")) << "the damaged entries were replaced";
}

TEST_F(Preparation, WithoutAUsableCacheItStillWorksAndSaysSo) {
  const PreparedData fresh = prepare_text();
  const std::string file = write("not-a-folder", "");
  ::setenv("SPARSESCOPE_CACHE", file.c_str(), 1);
  const PreparedData without = prepare_text();
  ASSERT_EQ(without.notes.size(), 1u);
  EXPECT_NE(without.notes[0].find("not kept for next time: the cache folder cannot be made"),
            std::string::npos);
  EXPECT_EQ(without.train.ids, fresh.train.ids);
}

TEST_F(Preparation, AReadOnlyCacheIsNoFailureForAnUnprivilegedUser) {
  const std::string read_only = folder_ + "/read-only";
  std::filesystem::create_directories(read_only);
  ASSERT_EQ(::chmod(read_only.c_str(), 0555), 0);
  ::setenv("SPARSESCOPE_CACHE", read_only.c_str(), 1);
  const std::string said = refusal_for_nobody([this] {
    const PreparedData data = prepare_text();
    throw Error(data.notes.empty() ? "no note" : data.notes[0]);
  });
  EXPECT_NE(said.find("the cache folder cannot be made: Permission denied"), std::string::npos) << said;
}

TEST_F(Preparation, CanBeCancelledAtEveryReport) {
  bool finished = false;
  for (int patience = 0; !finished && patience < 1000; ++patience) {
    std::filesystem::remove_all(cache());
    int reports = 0;
    Task task;
    task.cancelled = [&reports, patience] { return reports++ == patience; };
    try {
      prepare(config_, {folder_ + "/text"}, 32, task);
      finished = true;
      EXPECT_GT(patience, 4);
    } catch (const Cancelled&) {
    }
  }
  EXPECT_TRUE(finished);
}

TEST_F(Preparation, TooLittleTextForOneWindowIsRefusedWithTheNumbers) {
  const auto refused = [this](const std::string& text, std::int64_t context) {
    const std::string path = write("short/one.txt", text);
    return refusal([&] { prepare(config_, {path}, context); });
  };
  config_.tokenizer = experiments::TokenizerKind::Bytes;
  config_.vocabulary = 256;
  EXPECT_EQ(refused("ab", 8),
            "the training text has 1 token and one window of model.context needs 9; give more text or a "
            "shorter context");
  EXPECT_NE(refused(std::string(100, 'a'), 8).find("the validation text has 5 tokens"), std::string::npos);
  EXPECT_NE(refused("a", 8).find("only 1 byte"), std::string::npos);
}

TEST_F(Preparation, ASmallTextSaysThatItsVocabularyIsSmaller) {
  config_.vocabulary = 65536;
  const PreparedData data = prepare_text();
  EXPECT_LT(data.tokenizer->vocabulary(), 5000);
  ASSERT_FALSE(data.notes.empty());
  EXPECT_NE(data.notes[0].find("the vocabulary is smaller than the 65536 asked for"), std::string::npos);
}

TEST_F(Preparation, ASampleSaysSo) {
  config_.max_bytes = 10000;
  const PreparedData data = prepare_text();
  ASSERT_FALSE(data.notes.empty());
  EXPECT_NE(data.notes[0].find("data.max_bytes"), std::string::npos);
}

TEST_F(Preparation, TheRecordedFactsAreComplete) {
  const PreparedData data = prepare_text();
  const auto json = nlohmann::json::parse(to_json(data));
  EXPECT_EQ(json.at("corpus").at("sha256"), data.corpus.sha256);
  EXPECT_EQ(json.at("tokenizer").at("vocabulary"), 400);
  EXPECT_EQ(json.at("train").at("tokens"), data.train.ids.size());
  EXPECT_EQ(json.at("validation").at("unigram_nats"), data.validation.unigram_nats);
}

TEST(UnigramEntropy, IsThatOfTheFrequencies) {
  EXPECT_NEAR(unigram_entropy_nats(std::vector<std::int32_t>{0, 1, 2, 3}, 4), std::log(4.0), 1e-12);
  EXPECT_EQ(unigram_entropy_nats(std::vector<std::int32_t>{2, 2, 2}, 4), 0);
  EXPECT_NEAR(unigram_entropy_nats(std::vector<std::int32_t>{0, 0, 0, 1}, 2),
              0.75 * std::log(4.0 / 3) + 0.25 * std::log(4.0), 1e-12);
}

TEST(Cache, WithoutAFolderFindsNothingAndSaysWhy) {
  const Cache cache("");
  EXPECT_FALSE(cache.find("x"));
  EXPECT_NE(cache.store("x", "y").find("HOME"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::data
