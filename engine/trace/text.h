// Text elements (DType::Text): 1,024 bytes of UTF-8, NUL padded. Never truncates; what is inside a text is
// the producer's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/trace/frame.h"

namespace sparsescope::trace {

inline constexpr std::size_t kTextBytes = 1024;

// Whether `text` is UTF-8 by RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Appends `texts` to `frame` as ragged channel `id`. Throws std::logic_error for one that is longer than
// 1,024 bytes, holds a NUL or is not UTF-8: a longer event is split by its producer.
void add_texts(Frame& frame, std::uint32_t id, std::span<const std::string> texts);

// The texts of a channel, without their padding.
std::vector<std::string> texts_of(const ChannelData& data);

}  // namespace sparsescope::trace
