// Reads a corpus: which of the found files are text, what their documents are, how much of it is used.
#include "engine/data/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/data/corpus_build.h"
#include "engine/data/documents.h"
#include "engine/data/files.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

constexpr std::uint64_t kSniffedBytes = 8 << 10;
constexpr std::uint64_t kMostBytesOfFewFiles = std::uint64_t{1} << 30;
constexpr std::size_t kReportEvery = 128;  // files between two reports

// Throws for a binary file that the person named; answers whether another one is text.
bool is_text(const FoundFile& file, std::string_view bytes) {
  const std::string reason = binary_reason(bytes);
  if (!reason.empty() && file.is_named) {
    throw refused("'" + file.path + "' is not text: " + reason + "; name a text file");
  }
  return reason.empty();
}

void report(const Task& task, std::size_t done, std::size_t all) {
  if (done % kReportEvery == 0)
    task.report("reading text", static_cast<double>(done) / static_cast<double>(all));
}

void remove_binaries(FoundFiles& found, const Task& task) {
  std::vector<FoundFile> texts;
  for (std::size_t i = 0; i < found.files.size(); ++i) {
    report(task, i, 2 * found.files.size());
    if (is_text(found.files[i], read_file(found.files[i].path, kSniffedBytes))) {
      texts.push_back(found.files[i]);
    } else {
      ++found.skipped;
    }
  }
  if (texts.empty()) {
    throw refused(found.files.empty()
                      ? "there is no text in " + found.source + "; name a file or folder that holds some"
                      : "all files of " + found.source +
                            " are binary; name a file or folder that holds text");
  }
  found.files = std::move(texts);
}

void append_document(Corpus& corpus, std::string_view text) {
  const std::size_t begin = corpus.bytes.size();
  corpus.bytes += text;
  corpus.documents.push_back({begin, corpus.bytes.size(), Split::Train});
}

// A document per file; only the sampled files are read.
void read_many(Corpus& corpus, FoundFiles& found, std::uint64_t max_bytes, const Task& task) {
  std::vector<std::uint64_t> sizes;
  for (const FoundFile& file : found.files) sizes.push_back(file.bytes);
  const std::vector<Taken> sample = spread_sample(sizes, max_bytes);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    report(task, sample.size() + i, 2 * sample.size());
    const FoundFile& file = found.files[sample[i].index];
    const std::string bytes = read_file(file.path, sample[i].bytes);
    if (!is_text(file, bytes)) {
      ++found.skipped;
      continue;
    }
    append_document(corpus, sample[i].bytes < file.bytes ? without_cut_character(bytes) : bytes);
    ++corpus.facts.files;
  }
  for (std::uint64_t size : sizes) corpus.facts.offered_bytes += static_cast<std::int64_t>(size);
}

std::vector<std::string> read_few(FoundFiles& found) {
  std::uint64_t total = 0;
  for (const FoundFile& file : found.files) total += file.bytes;
  if (total > kMostBytesOfFewFiles) {
    throw refused(
        fmt::format("{} holds {:.1f} GB in fewer than {} files, more than can be searched for documents; "
                    "give a part of it, or cut it into more files",
                    found.source, static_cast<double>(total) * 1e-9, kFewestDocuments));
  }
  std::vector<std::string> texts;
  for (const FoundFile& file : found.files) {
    std::string bytes = read_file(file.path, kMostBytesOfFewFiles);
    if (is_text(file, bytes)) {
      texts.push_back(std::move(bytes));
    } else {
      ++found.skipped;
    }
  }
  return texts;
}

// Fewer than 20 files: blocks, or one stream.
void read_blocks_or_stream(Corpus& corpus, FoundFiles& found, std::uint64_t max_bytes) {
  const std::vector<std::string> texts = read_few(found);
  corpus.facts.files = static_cast<std::int64_t>(texts.size());
  std::vector<std::string_view> blocks;
  for (const std::string& text : texts) {
    const auto more = blocks_of(text);
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  if (blocks.empty())
    throw refused(found.source + " holds nothing but white space; name a file that holds text");

  if (blocks.size() >= kFewestDocuments) {
    corpus.facts.rule = DocumentRule::Blocks;
    std::vector<std::uint64_t> sizes;
    for (std::string_view block : blocks) sizes.push_back(block.size());
    for (const Taken& taken : spread_sample(sizes, max_bytes)) {
      const std::string_view block = blocks[taken.index].substr(0, taken.bytes);
      append_document(corpus, block.size() < sizes[taken.index] ? without_cut_character(block) : block);
    }
    for (std::uint64_t size : sizes) corpus.facts.offered_bytes += static_cast<std::int64_t>(size);
    return;
  }
  corpus.facts.rule = DocumentRule::Stream;
  for (const std::string& text : texts) {
    if (!corpus.bytes.empty() && corpus.bytes.back() != '\n') corpus.bytes += '\n';
    corpus.bytes += text;
  }
  corpus.facts.offered_bytes = static_cast<std::int64_t>(corpus.bytes.size());
  if (corpus.bytes.size() > max_bytes) {
    corpus.bytes.resize(max_bytes);
    corpus.bytes.resize(without_cut_character(corpus.bytes).size());
  }
}

Corpus read_corpus(FoundFiles found, const CorpusRequest& request, const Task& task) {
  check(request.max_bytes >= 0 && request.validation_fraction > 0 && request.validation_fraction < 1,
        "a corpus request needs a byte limit and a validation share between 0 and 1");
  remove_binaries(found, task);
  Corpus corpus;
  corpus.facts.source = found.source;
  const auto max_bytes = static_cast<std::uint64_t>(request.max_bytes == 0 ? kMostBytes : request.max_bytes);
  if (found.files.size() >= kFewestDocuments) {
    read_many(corpus, found, max_bytes, task);
  } else {
    read_blocks_or_stream(corpus, found, max_bytes);
  }
  if (corpus.bytes.empty())
    throw refused("there is no text in " + found.source + "; name a file or folder that holds some");
  corpus.facts.files_skipped = found.skipped;
  hold_out(corpus, request.validation_fraction);
  return corpus;
}

// The packed corpus that `path` is, if its first bytes say so.
std::optional<PackedCorpus> find_pack(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || !begins_like_pack(read_file(path, kSniffedBytes)))
    return std::nullopt;
  return pack_from_bytes(read_file(path, kMostBytesOfFewFiles),
                         std::filesystem::path(path).filename().native());
}

Corpus load_built(const CorpusFile& file, const CorpusRequest& request, const Task& task) {
  const BuiltCorpus built = build_corpus(file, task);
  Corpus corpus = corpus_from_pack(built.pack, request);
  if (!built.cache_note.empty())
    corpus.warnings.push_back("The built corpus is not kept for next time: " + built.cache_note + ".");
  if (std::string words = unexpected_text(file, built.pack); !words.empty()) corpus.warnings.push_back(words);
  return corpus;
}

Corpus load_packed(const PackedCorpus& pack, const CorpusRequest& request) {
  Corpus corpus = corpus_from_pack(pack, request);
  const std::optional<CorpusFile> file = find_corpus_file(pack.name);
  std::string words = file ? unexpected_text(*file, pack) : "";
  if (!words.empty()) corpus.warnings.push_back(std::move(words));
  return corpus;
}

Corpus load_installed(const CorpusFile& file, CorpusRequest request, const Task& task) {
  if (request.max_bytes == 0) request.max_bytes = file.max_bytes;
  Corpus corpus = load_named_corpus(file.installed, request, task);
  corpus.facts.licence = file.licence;
  return corpus;
}

}  // namespace

const char* document_rule_name(DocumentRule rule) {
  switch (rule) {
    case DocumentRule::Files:
      return "files";
    case DocumentRule::Blocks:
      return "blocks";
    case DocumentRule::Stream:
      return "stream";
  }
  return "";
}

Corpus load_named_corpus(const NamedCorpus& named, const CorpusRequest& request, const Task& task) {
  return read_corpus(find_named(named, task), request, task);
}

Corpus load_corpus(const CorpusRequest& request, const Task& task) {
  if (request.sources.empty())
    throw Error("no corpus was named; give a file, a folder or a name with --corpus", ExitCode::Usage);
  const std::string& source = request.sources.front();
  if (request.sources.size() == 1) {
    if (const std::optional<CorpusFile> file = find_corpus_file(source))
      return file->is_installed() ? load_installed(*file, request, task) : load_built(*file, request, task);
    if (const std::optional<PackedCorpus> pack = find_pack(source)) return load_packed(*pack, request);
  }
  return read_corpus(find_files(request.sources, corpus_names(), task), request, task);
}

std::int64_t expected_bytes(const std::string& source, std::int64_t max_bytes) {
  const std::optional<CorpusFile> file = find_corpus_file(source);
  if (max_bytes > 0) return max_bytes;
  if (!file) return kMostBytes;
  return file->max_bytes > 0 ? file->max_bytes : file->approximate_bytes;
}

std::string describe(const CorpusFacts& facts) {
  const char* unit = facts.rule == DocumentRule::Blocks   ? "blocks of "
                     : facts.rule == DocumentRule::Stream ? "one stream of "
                                                          : "";
  std::string text = fmt::format("{}: {:.1f} MB", facts.source, static_cast<double>(facts.bytes) * 1e-6);
  if (facts.offered_bytes > facts.bytes) {
    text += fmt::format(" sampled from {:.1f} MB", static_cast<double>(facts.offered_bytes) * 1e-6);
  }
  text += " in ";
  if (facts.rule == DocumentRule::Blocks) text += fmt::format("{} ", facts.documents);
  text += fmt::format("{}{} file{}", unit, facts.files, facts.files == 1 ? "" : "s");
  text += fmt::format(", {:.1f} % held out", 100.0 * static_cast<double>(facts.validation_bytes) /
                                                 static_cast<double>(std::max<std::int64_t>(facts.bytes, 1)));
  for (std::size_t i = 0; i < facts.packages.size(); ++i)
    text +=
        fmt::format("{}{} {}", i == 0 ? "; from " : ", ", facts.packages[i].name, facts.packages[i].version);
  if (!facts.text_sha256.empty()) text += "; SHA-256 of its text " + facts.text_sha256;
  return text;
}

std::string to_json(const CorpusFacts& facts) {
  nlohmann::ordered_json json{{"source", facts.source},
                              {"sha256", facts.sha256},
                              {"document_rule", document_rule_name(facts.rule)},
                              {"files", facts.files},
                              {"files_skipped", facts.files_skipped},
                              {"documents", facts.documents},
                              {"validation_documents", facts.validation_documents},
                              {"bytes", facts.bytes},
                              {"validation_bytes", facts.validation_bytes},
                              {"offered_bytes", facts.offered_bytes}};
  if (!facts.licence.empty()) json["licence"] = facts.licence;
  if (!facts.text_sha256.empty()) json["text_sha256"] = facts.text_sha256;
  for (const PackageVersion& package : facts.packages)
    json["packages"].push_back({{"name", package.name}, {"version", package.version}});
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace sparsescope::data
