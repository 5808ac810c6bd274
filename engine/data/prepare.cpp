// Corpus, tokenizer, token streams, in this order, each found in the cache when it has been made before.
#include "engine/data/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/data/cache.h"
#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

using experiments::DataConfig;
using experiments::TokenizerKind;

// Raise these when the same text would give other pieces or other ids.
constexpr const char* kTokenizerFormat = "sparsescope-bpe-1";
constexpr const char* kTokensFormat = "sparsescope-tokens-1";

void note_cache(std::vector<std::string>& notes, const std::string& reason) {
  const std::string note = "The prepared text is not kept for next time: " + reason + ".";
  if (!reason.empty() && std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

TokenizerPtr find_tokenizer(const Cache& cache, const std::string& name) {
  const std::optional<std::string> model = cache.find(name);
  if (!model) return nullptr;
  try {
    return bpe_from_serialized(*model);
  } catch (const Error&) {
    return nullptr;  // whole but not ours: train again, which replaces it
  }
}

TokenizerPtr make_tokenizer(const DataConfig& config, const Corpus& corpus, const Cache& cache,
                            std::vector<std::string>& notes, const Task& task) {
  if (config.tokenizer == TokenizerKind::Bytes) return byte_tokenizer();
  for (const PackedTokenizer& packed : corpus.tokenizers) {
    if (packed.corpus_sha256 == corpus.facts.sha256 && packed.vocabulary == config.vocabulary)
      return bpe_from_serialized(packed.model);
  }
  const std::string key = fmt::format("{} {} {}", kTokenizerFormat, corpus.facts.sha256, config.vocabulary);
  const std::string name = sha256_hex(key).substr(0, 32) + ".tokenizer";
  TokenizerPtr tokenizer = find_tokenizer(cache, name);
  if (!tokenizer) {
    std::vector<std::string_view> documents;
    for (const Corpus::Document& document : corpus.documents) {
      if (document.split == Split::Train) documents.push_back(corpus.text(document));
    }
    tokenizer = train_bpe(documents, config.vocabulary, task);
    note_cache(notes, cache.store(name, tokenizer->serialized()));
  }
  if (tokenizer->vocabulary() < config.vocabulary) {
    notes.push_back(fmt::format(
        "The text has pairs for {} tokens only, so the vocabulary is smaller than the {} asked for.",
        tokenizer->vocabulary(), config.vocabulary));
  }
  return tokenizer;
}

struct Streams {
  std::vector<std::int32_t> train, validation;
};

Streams encode(const Corpus& corpus, const Tokenizer& tokenizer, const Task& task) {
  constexpr std::size_t kReportEvery = 1 << 18;    // bytes
  constexpr std::size_t kEncodedAtOnce = 1 << 20;  // bytes; one stream may be long
  Streams streams;
  std::size_t done = 0, next_report = 0;
  for (const Corpus::Document& document : corpus.documents) {
    std::vector<std::int32_t>& ids = document.split == Split::Train ? streams.train : streams.validation;
    if (!ids.empty()) ids.push_back(tokenizer.end_of_document());
    for (std::string_view text = corpus.text(document); !text.empty();) {
      if (done >= next_report) {
        next_report = done + kReportEvery;
        task.report("encoding the text",
                    static_cast<double>(done) / static_cast<double>(corpus.bytes.size()));
      }
      const std::string_view part = text.substr(0, kEncodedAtOnce);
      tokenizer.encode(part, ids);
      done += part.size();
      text.remove_prefix(part.size());
    }
  }
  return streams;
}

// Cached tokens: the length of the training stream (8 bytes), then all ids as u16, little-endian.
std::string bytes_from_streams(const Streams& streams) {
  std::string bytes(8 + 2 * (streams.train.size() + streams.validation.size()), '\0');
  const std::uint64_t train = streams.train.size();
  std::memcpy(bytes.data(), &train, 8);
  char* next = bytes.data() + 8;
  for (const auto* ids : {&streams.train, &streams.validation}) {
    for (std::int32_t id : *ids) {
      const auto narrow = static_cast<std::uint16_t>(id);
      std::memcpy(next, &narrow, 2);
      next += 2;
    }
  }
  return bytes;
}

std::optional<Streams> streams_from_bytes(const std::string& bytes, std::int64_t vocabulary) {
  std::uint64_t train = 0;
  if (bytes.size() < 8 || bytes.size() % 2 != 0) return std::nullopt;
  std::memcpy(&train, bytes.data(), 8);
  const std::size_t count = (bytes.size() - 8) / 2;
  if (train > count) return std::nullopt;
  Streams streams;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t id = 0;
    std::memcpy(&id, bytes.data() + 8 + 2 * i, 2);
    if (id >= vocabulary) return std::nullopt;
    (i < train ? streams.train : streams.validation).push_back(id);
  }
  return streams;
}

Streams make_streams(const Corpus& corpus, const Tokenizer& tokenizer, const Cache& cache,
                     std::vector<std::string>& notes, const Task& task) {
  if (tokenizer.serialized().empty()) return encode(corpus, tokenizer, task);  // bytes: faster than any cache
  const std::string key =
      fmt::format("{} {} {}", kTokensFormat, corpus.facts.sha256, sha256_hex(tokenizer.serialized()));
  const std::string name = sha256_hex(key).substr(0, 32) + ".tokens";
  if (const std::optional<std::string> bytes = cache.find(name)) {
    if (std::optional<Streams> streams = streams_from_bytes(*bytes, tokenizer.vocabulary()))
      return std::move(*streams);
  }
  Streams streams = encode(corpus, tokenizer, task);
  note_cache(notes, cache.store(name, bytes_from_streams(streams)));
  return streams;
}

TokenStream finish(std::vector<std::int32_t> ids, const Tokenizer& tokenizer, const char* what,
                   std::int64_t context) {
  if (static_cast<std::int64_t>(ids.size()) <= context) {
    throw refused(fmt::format(
        "the {} text has {} token{} and one window of model.context needs {}; give more text or a shorter "
        "context",
        what, ids.size(), ids.size() == 1 ? "" : "s", context + 1));
  }
  TokenStream stream;
  stream.text_bytes = tokenizer.text_bytes(ids);
  stream.unigram_nats = unigram_entropy_nats(ids, tokenizer.vocabulary());
  stream.ids = std::move(ids);
  return stream;
}

}  // namespace

double unigram_entropy_nats(std::span<const std::int32_t> ids, std::int64_t vocabulary) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(vocabulary));
  for (std::int32_t id : ids) ++counts.at(static_cast<std::size_t>(id));
  double entropy = 0;
  for (std::int64_t count : counts) {
    const double share =
        static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(ids.size(), 1));
    if (count > 0) entropy -= share * std::log(share);
  }
  return entropy;
}

PreparedData prepare(const DataConfig& config, const std::vector<std::string>& sources, std::int64_t context,
                     const Task& task) {
  task.report("reading text", -1);
  CorpusRequest request;
  request.sources = sources.empty() ? std::vector<std::string>{config.corpus} : sources;
  request.max_bytes = config.max_bytes;
  request.validation_fraction = config.validation_fraction;
  return prepare_corpus(config, load_corpus(request, task), context, task);
}

PreparedData prepare_corpus(const DataConfig& config, Corpus corpus, std::int64_t context, const Task& task) {
  PreparedData data;
  data.corpus = corpus.facts;
  data.warnings = corpus.warnings;
  if (data.corpus.bytes < data.corpus.offered_bytes && data.corpus.offered_bytes > config.max_bytes) {
    data.notes.push_back(fmt::format(
        "The corpus is a sample of {:.1f} MB spread over {:.1f} MB; data.max_bytes sets the limit.",
        static_cast<double>(data.corpus.bytes) * 1e-6,
        static_cast<double>(data.corpus.offered_bytes) * 1e-6));
  }
  const Cache cache = Cache::of_user();
  data.tokenizer = make_tokenizer(config, corpus, cache, data.notes, task);
  Streams streams = make_streams(corpus, *data.tokenizer, cache, data.notes, task);
  data.train = finish(std::move(streams.train), *data.tokenizer, "training", context);
  data.validation = finish(std::move(streams.validation), *data.tokenizer, "validation", context);
  task.report("text is ready", 1);
  return data;
}

std::string text_differences(const std::string& recorded_json, const PreparedData& data) {
  using Json = nlohmann::json;
  const Json there = Json::parse(recorded_json, nullptr, false).value("/corpus"_json_pointer, Json::object());
  if (there.value("sha256", "") == data.corpus.sha256) return {};
  std::string words;
  const auto add = [&words](const std::string& more) { words += (words.empty() ? "" : ", ") + more; };
  if (there.value("source", "") != data.corpus.source)
    add(fmt::format("{} there, {} here", there.value("source", "unknown"), data.corpus.source));
  std::map<std::string, std::string> versions;
  for (const Json& package : there.value("packages", Json::array()))
    versions[package.value("name", "")] = package.value("version", "");
  for (const PackageVersion& package : data.corpus.packages) {
    const auto found = versions.find(package.name);
    if (found != versions.end() && found->second != package.version)
      add(fmt::format("{} {} there, {} here", package.name, found->second, package.version));
  }
  add(fmt::format("SHA-256 {} there, {} here", there.value("sha256", "unknown").substr(0, 12),
                  data.corpus.sha256.substr(0, 12)));
  return "the text differs: " + words;
}

std::string to_json(const PreparedData& data) {
  const auto stream = [](const TokenStream& tokens) {
    return nlohmann::ordered_json{{"tokens", tokens.ids.size()},
                                  {"text_bytes", tokens.text_bytes},
                                  {"unigram_nats", tokens.unigram_nats}};
  };
  const std::string model = data.tokenizer->serialized();
  nlohmann::ordered_json json;
  json["corpus"] = nlohmann::ordered_json::parse(to_json(data.corpus));
  json["tokenizer"] = {{"kind", model.empty() ? "bytes" : "bpe"},
                       {"vocabulary", data.tokenizer->vocabulary()}};
  if (!model.empty()) json["tokenizer"]["sha256"] = sha256_hex(model);
  json["train"] = stream(data.train);
  json["validation"] = stream(data.validation);
  return json.dump();
}

}  // namespace sparsescope::data
