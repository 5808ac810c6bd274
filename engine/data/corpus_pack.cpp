// CBOR by nlohmann::json; reading looks at one flat map only and builds no tree.
#include "engine/data/corpus_pack.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/data/documents.h"
#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

using Json = nlohmann::ordered_json;
static_assert(std::endian::native == std::endian::little, "ends are written as they lie in memory");

constexpr std::string_view kFormat = "sparsescope-corpus-1";
constexpr std::size_t kDigits = 64;
constexpr std::string_view kTokenizerKey = "tokenizer ";

Json::binary_t binary(std::string_view bytes) {
  return Json::binary_t(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

// The texts and byte strings of one flat map; anything deeper or of another kind ends the parse.
class FlatMap : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, std::string> values;

  bool start_object(std::size_t) override { return depth_++ == 0; }
  bool end_object() override { return true; }
  bool key(string_t& key) override {
    key_ = key;
    return depth_ == 1 && values.count(key) == 0;
  }
  bool string(string_t& text) override { return put(std::string(text.begin(), text.end())); }
  bool binary(binary_t& bytes) override { return put(std::string(bytes.begin(), bytes.end())); }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool put(std::string value) {
    if (depth_ != 1) return false;
    values[key_] = std::move(value);
    return true;
  }
  std::string key_;
  int depth_ = 0;
};

Json manifest_of(const PackedCorpus& pack) {
  Json packages = Json::array();
  for (const PackageVersion& package : pack.packages)
    packages.push_back({{"name", package.name}, {"version", package.version}});
  return {{"name", pack.name},
          {"title", pack.title},
          {"licence", pack.licence},
          {"source", pack.source},
          {"packages", packages},
          {"definition", pack.definition},
          {"document_rule", document_rule_name(pack.rule)},
          {"files", pack.files},
          {"files_skipped", pack.files_skipped},
          {"offered_bytes", pack.offered_bytes},
          {"max_bytes", pack.max_bytes},
          {"text_sha256", pack.text_sha256()}};
}

void read_manifest(PackedCorpus& pack, const std::string& text) {
  const Json json = Json::parse(text);
  pack.name = json.at("name"), pack.title = json.at("title"), pack.licence = json.at("licence");
  pack.source = json.at("source"), pack.definition = json.at("definition");
  for (const Json& package : json.at("packages"))
    pack.packages.push_back({package.at("name"), package.at("version")});
  for (const DocumentRule rule : {DocumentRule::Files, DocumentRule::Blocks, DocumentRule::Stream}) {
    if (json.at("document_rule") == document_rule_name(rule)) pack.rule = rule;
  }
  pack.files = json.at("files"), pack.files_skipped = json.at("files_skipped");
  pack.offered_bytes = json.at("offered_bytes"), pack.max_bytes = json.at("max_bytes");
}

// Whether documents follow each other up to the last byte.
bool read_ends(PackedCorpus& pack, const std::string& bytes) {
  if (bytes.empty() || bytes.size() % sizeof(std::uint64_t) != 0) return false;
  pack.ends.resize(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(pack.ends.data(), bytes.data(), bytes.size());
  std::uint64_t begin = 0;
  for (const std::uint64_t end : pack.ends) {
    if (end <= begin || end > pack.text.size()) return false;
    begin = end;
  }
  return begin == pack.text.size();
}

// "tokenizer 4096 HASH"
bool read_tokenizer(PackedCorpus& pack, const std::string& key, const std::string& model) {
  const std::string_view rest = std::string_view(key).substr(kTokenizerKey.size());
  const std::size_t space = rest.find(' ');
  if (space == 0 || space > 6 || rest.find_first_not_of("0123456789") != space) return false;
  pack.tokenizers.push_back(
      {std::stoll(std::string(rest.substr(0, space))), std::string(rest.substr(space + 1)), model});
  return true;
}

}  // namespace

std::string PackedCorpus::text_sha256() const { return sha256_hex(text); }

void PackedCorpus::add_document(std::string_view document) {
  text += document;
  ends.push_back(text.size());
}

std::string bytes_from_pack(const PackedCorpus& pack) {
  Json json;
  json["format"] = kFormat;
  json["manifest"] = manifest_of(pack).dump(-1, ' ', false, Json::error_handler_t::replace);
  json["text"] = binary(pack.text);
  json["ends"] = binary({reinterpret_cast<const char*>(pack.ends.data()), 8 * pack.ends.size()});
  for (const PackedTokenizer& tokenizer : pack.tokenizers) {
    json[fmt::format("{}{} {}", kTokenizerKey, tokenizer.vocabulary, tokenizer.corpus_sha256)] =
        binary(tokenizer.model);
  }
  json["sha256"] = std::string(kDigits, '0');
  std::string bytes;
  Json::to_cbor(json, nlohmann::detail::output_adapter<char>(bytes));
  const std::size_t content = bytes.size() - kDigits;
  bytes.replace(content, kDigits, sha256_hex(std::string_view(bytes).substr(0, content)));
  return bytes;
}

PackedCorpus pack_from_bytes(std::string_view bytes, const std::string& name) {
  const Error damaged = refused(
      fmt::format("'{}' is a packed corpus that is cut off or damaged; copy it again, or make it again with "
                  "sparsescope-cli corpus prepare",
                  name));
  if (!begins_like_pack(bytes))
    throw refused(
        fmt::format("'{}' is not a packed corpus of this program; sparsescope-cli corpus prepare makes "
                    "one",
                    name));
  if (bytes.size() < kDigits) throw damaged;
  const std::string_view content = bytes.substr(0, bytes.size() - kDigits);
  if (sha256_hex(content) != bytes.substr(content.size())) throw damaged;

  FlatMap map;
  if (!nlohmann::json::sax_parse(bytes, &map, nlohmann::json::input_format_t::cbor)) throw damaged;
  if (map.values["format"] != kFormat)
    throw refused(
        fmt::format("'{}' was packed by another version of this program ({}); make it again with "
                    "sparsescope-cli corpus prepare",
                    name, map.values["format"]));
  PackedCorpus pack;
  pack.text = std::move(map.values["text"]);
  const bool is_text = pack.text.find('\0') == std::string::npos;  // a byte that ends documents
  if (!is_text || !read_ends(pack, map.values["ends"])) throw damaged;
  for (const auto& [key, value] : map.values) {
    if (key.starts_with(kTokenizerKey) && !read_tokenizer(pack, key, value)) throw damaged;
  }
  try {
    read_manifest(pack, map.values["manifest"]);
  } catch (const nlohmann::json::exception&) {
    throw damaged;
  }
  return pack;
}

bool begins_like_pack(std::string_view bytes) {
  // The head of a map, then the key as CBOR writes a text of six bytes.
  return bytes.size() > 8 && (bytes[0] & 0xe0) == 0xa0 &&
         bytes.substr(1).starts_with(
             "\x66"
             "format") &&
         bytes.substr(0, 64).find("sparsescope-corpus-") != std::string_view::npos;
}

Corpus corpus_from_pack(const PackedCorpus& pack, const CorpusRequest& request) {
  const auto limit = static_cast<std::uint64_t>(request.max_bytes > 0 ? request.max_bytes : pack.max_bytes);
  Corpus corpus;
  corpus.tokenizers = pack.tokenizers;
  CorpusFacts& facts = corpus.facts;
  facts.source = pack.name, facts.licence = pack.licence, facts.packages = pack.packages;
  facts.rule = pack.rule, facts.files = pack.files, facts.files_skipped = pack.files_skipped;
  facts.offered_bytes = pack.offered_bytes;
  facts.text_sha256 = pack.text_sha256();

  std::vector<std::uint64_t> sizes;
  for (std::size_t i = 0; i < pack.ends.size(); ++i)
    sizes.push_back(pack.ends[i] - (i == 0 ? 0 : pack.ends[i - 1]));
  const std::string_view text = pack.text;
  for (const Taken& taken : spread_sample(sizes, limit == 0 ? text.size() : limit)) {
    std::string_view document = text.substr(pack.ends[taken.index] - sizes[taken.index], taken.bytes);
    if (taken.bytes < sizes[taken.index]) document = without_cut_character(document);
    corpus.documents.push_back({corpus.bytes.size(), corpus.bytes.size() + document.size(), Split::Train});
    corpus.bytes += document;
  }
  hold_out(corpus, request.validation_fraction);
  return corpus;
}

PackedCorpus pack_from_corpus(const Corpus& corpus) {
  PackedCorpus pack;
  pack.name = corpus.facts.source, pack.licence = corpus.facts.licence, pack.packages = corpus.facts.packages;
  pack.rule = corpus.facts.rule, pack.files = corpus.facts.files;
  pack.files_skipped = corpus.facts.files_skipped, pack.offered_bytes = corpus.facts.offered_bytes;
  if (pack.rule == DocumentRule::Stream) {
    pack.add_document(corpus.bytes);
  } else {
    for (const Corpus::Document& document : corpus.documents) pack.add_document(corpus.text(document));
  }
  return pack;
}

}  // namespace sparsescope::data
