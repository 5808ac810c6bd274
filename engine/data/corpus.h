// Text to train on: which files, what a document is, which documents are held out. Bytes only; tokens live in
// tokenizer.h.
//
// A document is a file; with fewer than 20 files it is a block between blank lines; with fewer than 20 of
// those the whole text is one stream. Files are taken in the order of their paths. A corpus above the byte
// limit is sampled: each document counts with its first limit/200 bytes (twice as many, and so on, while all
// together would not fill the limit), and walking along the list a document is taken when the taken bytes
// stay within limit/total of the bytes walked past, so that the sample spans the whole list and is the same
// every time (one stream: its first bytes). Held out are documents in the order of their SHA-256, first those
// under a tenth of the asked share, then any, until the share is reached, so that equal documents fall on one
// side and every seed shares one validation text (one stream: its end).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/task.h"

namespace sparsescope::data {

enum class DocumentRule { Files, Blocks, Stream };
const char* document_rule_name(DocumentRule rule);  // "files", "blocks", "stream"
enum class Split { Train, Validation };

struct PackageVersion {
  std::string name, version;  // of a Debian package
};

// What is known about a corpus without its text; goes into recordings. No folder names of the machine.
struct CorpusFacts {
  std::string source;  // "headers", "train.txt", "src/*.c": as given, without leading folders
  std::string sha256;  // of the documents' bytes, their borders and their split; hexadecimal
  DocumentRule rule = DocumentRule::Files;
  std::int64_t files = 0;          // that contributed text
  std::int64_t files_skipped = 0;  // empty, binary (inside folders and globs) or the same file again
  std::int64_t documents = 0, validation_documents = 0;
  std::int64_t bytes = 0, validation_bytes = 0;  // `bytes` is the whole corpus, validation included
  std::int64_t offered_bytes = 0;                // before sampling
  // Of a named corpus made from packages, or packed:
  std::string licence;
  std::string text_sha256;  // of its whole text, before sampling; hexadecimal
  std::vector<PackageVersion> packages;
};

// A tokenizer that came with a packed corpus: what train_bpe() gives for the training part of that corpus.
struct PackedTokenizer {
  std::int64_t vocabulary = 0;  // ids asked for
  std::string corpus_sha256;    // facts.sha256 of the corpus it was trained on
  std::string model;            // serialized()
};

struct Corpus {
  struct Document {
    std::size_t begin = 0, end = 0;  // in `bytes`
    Split split = Split::Train;
  };
  std::string bytes;
  std::vector<Document> documents;  // in reading order
  CorpusFacts facts;
  std::vector<PackedTokenizer> tokenizers;  // that came along
  std::vector<std::string> warnings;        // one sentence each: not the text that was expected, not kept

  std::string_view text(const Document& document) const {
    return std::string_view(bytes).substr(document.begin, document.end - document.begin);
  }
};

inline constexpr std::int64_t kMostBytes = 8 << 20;

struct CorpusRequest {
  std::vector<std::string>
      sources;  // files, folders (searched deeply) and globs; or one named corpus, or one packed corpus
  std::int64_t max_bytes = 0;  // 0: what a named corpus recommends, kMostBytes of other text
  double validation_fraction = 0.05;
};

// A named corpus of files that lie on this machine; corpus_file.h knows those made from packages, too.
struct NamedCorpus {
  std::string name;
  std::string folder;
  std::vector<std::string> extensions;  // with the dot; "" is a file without one
};

// Builds (corpus_build.h) what is not built, reads, samples and splits. Throws Error with one sentence for: a
// missing path, a glob without a match, an unknown name (names the known ones), an unreadable file, a named
// file that is binary, no text at all, a text that cannot be split in two. A file is binary when it holds a
// NUL byte or more than 5 % control characters; any other bytes are text, so UTF-8 and Latin-1 are. Named
// files must be text; inside folders and globs binary files are skipped and counted, hidden ones (leading
// dot) are not looked at.
Corpus load_corpus(const CorpusRequest& request, const Task& task = {});
// The same for named files that need not be among the corpora that ship.
Corpus load_named_corpus(const NamedCorpus& named, const CorpusRequest& request, const Task& task = {});

// About as many bytes a run on `source` with this limit uses at most, without reading any text: for
// estimates.
std::int64_t expected_bytes(const std::string& source, std::int64_t max_bytes);

// "headers: 8.4 MB in 1204 files, 5.0 % held out", then packages and the hash of their text: one line for a
// person.
std::string describe(const CorpusFacts& facts);
std::string to_json(const CorpusFacts& facts);

}  // namespace sparsescope::data
