// Makes named corpora from Debian packages, once: fetch, unpack, strip, keep in the user's cache.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/data/corpus_file.h"
#include "engine/data/corpus_pack.h"
#include "engine/data/task.h"

namespace sparsescope::data {

struct BuiltCorpus {
  PackedCorpus pack;
  std::string cache_note;  // why it could not be kept for next time, or empty
};

// What an earlier build left in the cache, whole; nothing when there is none for this definition.
std::optional<PackedCorpus> find_built(const CorpusFile& file);

// That, or builds it: package after package, each removed from the disk before the next one. One process
// builds at a time, others wait. A stop leaves nothing behind. Throws Error (debian_package.h, strip.h), and
// when nothing was found in a package; and Cancelled.
BuiltCorpus build_corpus(const CorpusFile& file, const Task& task);

// How a built text differs from what its corpus file was written for, as one sentence with versions, or
// empty.
std::string unexpected_text(const CorpusFile& file, const PackedCorpus& pack);

struct PackedFile {
  std::int64_t bytes = 0, text_bytes = 0;
  std::string text_sha256;
  CorpusFacts facts;
  struct Tokens {
    std::int64_t asked = 0, vocabulary = 0;  // ids
    std::int64_t train = 0, validation = 0;  // tokens
  };
  std::vector<Tokens> tokens;  // by tokenizer
  std::vector<std::string> warnings;
};

// Writes the corpus `name` with a trained tokenizer for each of `vocabularies` as one file. `path` must not
// exist. Throws Error, and Cancelled.
PackedFile write_packed_corpus(const std::string& name, const std::vector<std::int64_t>& vocabularies,
                               const std::string& path, const Task& task);

}  // namespace sparsescope::data
