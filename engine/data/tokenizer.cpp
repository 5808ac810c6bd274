// What all tokenizers share, and the one that maps every byte to its own id. The trained one lives in
// bpe.cpp.
#include "engine/data/tokenizer.h"

#include <array>

#include "engine/data/utf8.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  ByteTokenizer() {
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) bytes_[byte] = static_cast<char>(byte);
  }
  std::int64_t vocabulary() const override { return 256; }
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    for (char c : text) ids.push_back(static_cast<unsigned char>(c));
  }
  std::string_view piece_bytes(std::int32_t id) const override {
    check(id >= 0 && id < 256, "a byte id lies outside 0..255");
    return {bytes_.data() + id, 1};
  }
  std::string serialized() const override { return {}; }

 private:
  std::array<char, 256> bytes_;
};

std::string escaped(unsigned char byte) {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  constexpr const char* kDigits = "0123456789abcdef";
  return std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
}

}  // namespace

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  encode(text, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (std::int32_t id : ids) text += piece_bytes(id);
  return text;
}

std::int64_t Tokenizer::text_bytes(std::span<const std::int32_t> ids) const {
  std::int64_t bytes = 0;
  for (std::int32_t id : ids) {
    if (id != end_of_document()) bytes += static_cast<std::int64_t>(piece_bytes(id).size());
  }
  return bytes;
}

std::string Tokenizer::piece_text(std::int32_t id) const {
  if (id == end_of_document()) return "<end>";
  std::string shown;
  for (std::string_view bytes = piece_bytes(id); !bytes.empty();) {
    const std::size_t length = character_bytes(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    const bool is_control = length == 1 && (first < 0x20 || first == 0x7f);
    const bool is_c1_control = length == 2 && first == 0xc2 && static_cast<unsigned char>(bytes[1]) < 0xa0;
    const std::size_t taken = length == 0 ? 1 : length;
    if (length == 0 || is_control || is_c1_control) {
      for (std::size_t i = 0; i < taken; ++i) shown += escaped(static_cast<unsigned char>(bytes[i]));
    } else {
      shown += bytes.substr(0, taken);
    }
    bytes.remove_prefix(taken);
  }
  return shown;
}

TokenizerPtr byte_tokenizer() { return std::make_shared<ByteTokenizer>(); }

}  // namespace sparsescope::data
