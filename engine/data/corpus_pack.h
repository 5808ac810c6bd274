// A corpus as one file: text, documents, where it came from and, for machines without network, tokenizers.
//
// The layout is one CBOR map (RFC 8949) with these keys, in this order:
//   format            "sparsescope-corpus-1"
//   manifest          JSON text: name, title, licence, source, packages, definition, document_rule, files,
//   sizes text              byte string: all documents one after the other ends              byte string:
//   where each document ends in `text`, u64 little-endian tokenizer V HASH  byte string: a SentencePiece
//   model of V ids asked for, trained on the training part of the
//                     corpus with facts.sha256 HASH; any number of them
//   sha256            text of 64 hexadecimal digits, the last bytes of the file: SHA-256 of all bytes before
//   them
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/corpus.h"

namespace sparsescope::data {

struct PackedCorpus {
  std::string name, title, licence, source;  // in words
  std::string definition;                    // CorpusFile::definition it was built by; empty: installed files
  std::vector<PackageVersion> packages;
  DocumentRule rule = DocumentRule::Files;
  std::int64_t files = 0, files_skipped = 0, offered_bytes = 0;  // as in CorpusFacts
  std::int64_t max_bytes = 0;                                    // that its corpus file recommends
  std::string text;
  std::vector<std::uint64_t> ends;  // ascending; the last one is text.size()
  std::vector<PackedTokenizer> tokenizers;

  std::string text_sha256() const;
  void add_document(std::string_view document);
};

std::string bytes_from_pack(const PackedCorpus& pack);
// Throws Error (Refused) for anything else than whole bytes of this layout; `name` is for the sentence.
PackedCorpus pack_from_bytes(std::string_view bytes, const std::string& name);
// Whether a file that begins with these bytes means to be one.
bool begins_like_pack(std::string_view bytes);

// Samples `pack` down to `max_bytes` (0: not at all) and holds documents out, as every corpus is.
Corpus corpus_from_pack(const PackedCorpus& pack, const CorpusRequest& request);
// The whole of an unpacked corpus; names and words are left to the caller.
PackedCorpus pack_from_corpus(const Corpus& corpus);

}  // namespace sparsescope::data
