// Byte-pair encoding with SentencePiece. The library trains on counted words, not on running text: that takes
// seconds where whole sentences take minutes, and what it learns does not depend on the order of documents.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "engine/data/tokenizer.h"
#include "engine/data/words.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

constexpr std::uint32_t kFirstCharacter =
    0x100;  // byte b is U+0100 + b: no white space, no control, two bytes of UTF-8
constexpr std::size_t kMostCountedBytes =
    64 << 20;                                // of text; beyond it the counts no longer change what is learnt
constexpr std::size_t kMostWords = 200'000;  // the most frequent ones; bounds time and memory of the training
constexpr std::size_t kMostCachedWords = 500'000;  // of encode(); about 60 MB
constexpr std::size_t kReportEvery = 1 << 20;      // bytes between two reports

struct TransparentHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename Value>
using WordMap = std::unordered_map<std::string, Value, TransparentHash, std::equal_to<>>;

std::string characters_from_bytes(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (char c : bytes) {
    const std::uint32_t point = kFirstCharacter + static_cast<unsigned char>(c);
    text += static_cast<char>(0xc0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3f));
  }
  return text;
}

// The inverse; empty when `text` holds another character.
std::string bytes_from_characters(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::uint32_t point = (static_cast<unsigned char>(text[i]) & 0x1fu) << 6 |
                                (static_cast<unsigned char>(text[i + 1]) & 0x3fu);
    if (point < kFirstCharacter || point >= kFirstCharacter + 256) return {};
    bytes += static_cast<char>(point - kFirstCharacter);
  }
  return text.size() % 2 == 0 ? bytes : std::string();
}

class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(std::string model) : model_(std::move(model)) {
    const auto status = processor_.LoadFromSerializedProto(model_);
    if (!status.ok()) throw Error(std::string("a tokenizer cannot be read: ") + status.message());
    std::array<bool, 256> has_byte{};
    for (int id = 0; id < processor_.GetPieceSize(); ++id) {
      pieces_.push_back(id == end_of_document() ? std::string()
                                                : bytes_from_characters(processor_.IdToPiece(id)));
      if (pieces_.back().size() == 1) has_byte[static_cast<unsigned char>(pieces_.back()[0])] = true;
      if (id != end_of_document() && pieces_.back().empty())
        throw Error("a tokenizer was not made by this program");
    }
    const bool has_all = std::all_of(has_byte.begin(), has_byte.end(), [](bool has) { return has; });
    if (!has_all || !processor_.IsUnknown(end_of_document()))
      throw Error("a tokenizer was not made by this program");
  }

  std::int64_t vocabulary() const override { return static_cast<std::int64_t>(pieces_.size()); }

  std::string_view piece_bytes(std::int32_t id) const override {
    check(id >= 0 && id < vocabulary(), "an id lies outside the vocabulary");
    return pieces_[static_cast<std::size_t>(id)];
  }

  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    const std::lock_guard lock(mutex_);
    for_each_word(text, [&](std::string_view word) {
      auto found = words_.find(word);
      if (found == words_.end()) {
        if (words_.size() >= kMostCachedWords) words_.clear();
        found = words_.emplace(std::string(word), encode_word(word)).first;
      }
      ids.insert(ids.end(), found->second.begin(), found->second.end());
    });
  }

  std::string serialized() const override { return model_; }

 private:
  std::vector<std::int32_t> encode_word(std::string_view word) const {
    std::vector<int> pieces;
    const auto status = processor_.Encode(characters_from_bytes(word), &pieces);
    check(status.ok(), std::string("SentencePiece cannot encode: ") + status.message());
    std::vector<std::int32_t> ids(pieces.begin(), pieces.end());
    check(std::find(ids.begin(), ids.end(), end_of_document()) == ids.end() && decode(ids) == word,
          "a word does not survive encoding");
    return ids;
  }

  std::string model_;
  sentencepiece::SentencePieceProcessor processor_;
  std::vector<std::string> pieces_;  // bytes, by id
  mutable std::mutex mutex_;
  mutable WordMap<std::vector<std::int32_t>> words_;  // guarded by mutex_
};

// Words in falling frequency, equal ones in the order of their bytes.
std::vector<std::pair<std::string, std::int64_t>> count_words(const std::vector<std::string_view>& documents,
                                                              const Task& task) {
  WordMap<std::int64_t> counts;
  std::size_t all = 0, done = 0, next_report = 0;
  for (std::string_view document : documents) all += document.size();
  all = std::min(all, kMostCountedBytes);
  for (std::string_view document : documents) {
    if (done >= all) break;
    for_each_word(document, [&](std::string_view word) {
      const auto found = counts.find(word);
      if (found == counts.end()) {
        counts.emplace(std::string(word), 1);
      } else {
        ++found->second;
      }
      done += word.size();
      if (done < next_report) return;
      next_report = done + kReportEvery;
      task.report("counting words", std::min(1.0, static_cast<double>(done) / static_cast<double>(all)));
    });
  }
  std::vector<std::pair<std::string, std::int64_t>> words(counts.begin(), counts.end());
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (words.size() > kMostWords) words.resize(kMostWords);
  return words;
}

// Hands counted words to the trainer: "word<tab>count" in its own format "tsv".
class CountedWords final : public sentencepiece::SentenceIterator {
 public:
  explicit CountedWords(const std::vector<std::pair<std::string, std::int64_t>>& words) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      lines_.push_back(characters_from_bytes({&c, 1}) + "\t1");  // so that the library meets every byte once
    }
    for (const auto& [word, count] : words)
      lines_.push_back(characters_from_bytes(word) + "\t" + std::to_string(count));
  }
  bool done() const override { return position_ == lines_.size(); }
  void Next() override { ++position_; }
  const std::string& value() const override { return lines_[position_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  std::size_t position_ = 0;
};

}  // namespace

TokenizerPtr train_bpe(const std::vector<std::string_view>& documents, std::int64_t vocabulary,
                       const Task& task) {
  check(vocabulary >= 257 && vocabulary <= 65536, "a BPE needs 257 to 65536 ids");
  const auto words = count_words(documents, task);
  task.report("training the tokenizer", -1);
  CountedWords lines(words);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"model_type", "bpe"},
       {"input_format", "tsv"},
       {"vocab_size", std::to_string(vocabulary)},
       {"hard_vocab_limit", "false"},  // a small text has fewer pairs to merge
       {"character_coverage", "1.0"},
       {"normalization_rule_name", "identity"},
       {"add_dummy_prefix", "false"},
       {"remove_extra_whitespaces", "false"},
       {"split_by_whitespace", "false"},  // words are cut already
       {"split_by_unicode_script", "false"},
       {"split_by_number", "false"},
       {"unk_id", "0"},
       {"bos_id", "-1"},
       {"eos_id", "-1"},
       {"pad_id", "-1"},
       {"num_threads", "2"},
       {"minloglevel", "3"}},  // errors come back as a status
      &lines, &model);
  if (!status.ok()) {
    throw Error(std::string("SentencePiece could not train a tokenizer: ") + status.message() +
                "; give more text, or set data.tokenizer to bytes");
  }
  task.report("training the tokenizer", 1);
  return std::make_shared<BpeTokenizer>(std::move(model));
}

TokenizerPtr bpe_from_serialized(const std::string& bytes) { return std::make_shared<BpeTokenizer>(bytes); }

}  // namespace sparsescope::data
