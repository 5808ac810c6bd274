// Bytes to ids and back, without loss: decode(encode(x)) == x for any bytes. Where trained tokenizers are
// kept lives in cache.h.
//
// BPE: SentencePiece over bytes. Every byte is one character to the library (byte b is U+0100 + b), all 256
// are pieces, nothing is normalised. Text is cut into words first (words.h); pieces never cross their
// borders. Id 0 is the end of a document: text never encodes to it and its bytes are empty. Bytes: id = byte,
// 256 ids. Id 0, the byte NUL, ends a document: a corpus never holds one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/task.h"

namespace sparsescope::data {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // V: ids are 0 <= id < vocabulary(). A small corpus may have fewer pieces than were asked for.
  virtual std::int64_t vocabulary() const = 0;
  // Appends the ids of `text`. Thread-safe.
  virtual void encode(std::string_view text, std::vector<std::int32_t>& ids) const = 0;
  // The exact bytes of one id; empty for the end of a document of a BPE.
  virtual std::string_view piece_bytes(std::int32_t id) const = 0;
  // What new_tokenizer() rebuilds it from.
  virtual std::string serialized() const = 0;

  std::int32_t end_of_document() const { return 0; }
  std::vector<std::int32_t> encode(std::string_view text) const;
  std::string decode(std::span<const std::int32_t> ids) const;
  // Bytes of text behind `ids`, the ends of documents counting none: the denominator of bits per byte.
  std::int64_t text_bytes(std::span<const std::int32_t> ids) const;
  // For a screen: the bytes as UTF-8, with what is not printable escaped ("\n", "\xe9") and the end of a
  // document "<end>".
  std::string piece_text(std::int32_t id) const;
};
using TokenizerPtr = std::shared_ptr<const Tokenizer>;

TokenizerPtr byte_tokenizer();
// Trains a BPE with `vocabulary` ids (257 .. 65536) on `documents`. Deterministic. Throws Error when the
// library refuses.
TokenizerPtr train_bpe(const std::vector<std::string_view>& documents, std::int64_t vocabulary,
                       const Task& task = {});
// Rebuilds a BPE from serialized(). Throws Error on anything else.
TokenizerPtr bpe_from_serialized(const std::string& bytes);

}  // namespace sparsescope::data
