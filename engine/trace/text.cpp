// Text elements and strict UTF-8.
#include "engine/trace/text.h"

namespace sparsescope::trace {
namespace {

// Bytes of the sequence that begins at text[at], 0 when it is not UTF-8.
std::size_t sequence_bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : (lead & 0xf0) == 0xe0        ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_bytes(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void add_texts(Frame& frame, std::uint32_t id, std::span<const std::string> texts) {
  ChannelData part{id, {}};
  part.bytes.resize(texts.size() * kTextBytes);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& text = texts[i];
    check(text.size() <= kTextBytes,
          "a text of " + std::to_string(text.size()) + " bytes does not fit 1,024");
    check(text.find('\0') == std::string::npos && is_utf8(text), "a text is not UTF-8 or holds a NUL");
    if (!text.empty()) std::memcpy(part.bytes.data() + i * kTextBytes, text.data(), text.size());
  }
  frame.present.add(id);
  frame.data.push_back(std::move(part));
}

std::vector<std::string> texts_of(const ChannelData& data) {
  check(data.bytes.size() % kTextBytes == 0, "channel bytes are not a whole number of texts");
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < data.bytes.size(); at += kTextBytes) {
    const std::string_view element(reinterpret_cast<const char*>(data.bytes.data() + at), kTextBytes);
    texts.emplace_back(element.substr(0, element.find('\0')));
  }
  return texts;
}

}  // namespace sparsescope::trace
