// Cuts bytes into words before the tokenizer sees them; pieces never cross a border, so words can be counted
// and cached. Letters are A-Z, a-z, the underscore and every byte above 127 (so that UTF-8 and Latin-1 words
// stay whole).
#pragma once

#include <cstddef>
#include <string_view>

namespace sparsescope::data {

inline constexpr std::size_t kLongestWord =
    48;  // bytes; longer runs are cut, which bounds the cost of one merge search

// Bytes of the first word of `text`, at least 1 unless it is empty. A word is, with at most one space before
// it, a run of letters, up to three digits, or a run of other signs; or else a run of white space, which
// leaves its last space to the word after it.
std::size_t first_word(std::string_view text);

// Calls `visit` with every word of `text`; the words joined are `text`.
template <typename Visit>
void for_each_word(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t length = first_word(text);
    visit(text.substr(0, length));
    text.remove_prefix(length);
  }
}

}  // namespace sparsescope::data
